// Every flow of the contract through one SDK for JavaScript.
//
//     node flows.mjs http://localhost:3000 auth-js-2.119.1
//
// `run` starts the server. What each answer must look like is held by the proxy, what it must mean by the flows.
import { accountFlows } from "./flows/account.mjs";
import { idTokenFlows } from "./flows/id_token.mjs";
import { refusalFlows } from "./flows/refusals.mjs";
import { sessionFlows } from "./flows/sessions.mjs";
import { signInFlows } from "./flows/sign_in.mjs";
import { startProxy } from "./proxy.mjs";
import { inTurn } from "./support.mjs";

const [server, sdk] = process.argv.slice(2);
// The older one prints every lost reply, and then asks again.
if (sdk === "auth-js-2.109.0") console.error = () => {};
const proxy = await startProxy(server);
const flows = [...signInFlows, ...accountFlows, ...sessionFlows, ...refusalFlows, ...idTokenFlows];
await inTurn(sdk, flows, { sdk, server, proxy });
proxy.close();
console.log(`ok     ${sdk}: ${proxy.exchanges.length} answers hold to the schemas`);
