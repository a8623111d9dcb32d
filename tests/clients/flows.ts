// One flow through each API, with the types that openapi-typescript made of docs/openapi and openapi-fetch.
//
//     node flows.js http://localhost:3000
//
// `run` makes the types, compiles this file with them, and runs it.
import { deflateSync } from "node:zlib";
import { randomUUID } from "node:crypto";
import createClient, { type Middleware } from "openapi-fetch";
import type { paths as Device } from "./device.js";
import type { paths as Messenger } from "./messenger.js";
import type { paths as Rooms } from "./rooms.js";
import type { paths as SealTalk } from "./sealtalk.js";
import type { paths as Supabase } from "./supabase.js";
import type { paths as Common } from "./v1.js";
import type { paths as Web } from "./web.js";

const baseUrl = process.argv[2] ?? "http://localhost:3000";
const PASSWORD = "P@ssw0rd-77";

function holds(what: string, truth: boolean, seen?: unknown): asserts truth {
  if (!truth) throw new Error(`does not hold: ${what}: ${JSON.stringify(seen)}`);
}

/** The code of the latest text message to a number of mainland China. */
async function codeFor(number: string): Promise<string> {
  const answer = await fetch(`${baseUrl}/_local/sms?phone=${encodeURIComponent(`+86${number}`)}`);
  const texts = (await answer.json()) as { code: string }[];
  holds("a text arrived", texts[0] !== undefined);
  return texts[0].code;
}

/** Keeps cookies from one request to the next, as a browser does. */
function cookies(): Middleware {
  const kept = new Map<string, string>();
  return {
    onRequest({ request }) {
      if (kept.size > 0) request.headers.set("cookie", [...kept].map(([name, value]) => `${name}=${value}`).join("; "));
      return request;
    },
    onResponse({ response }) {
      for (const line of response.headers.getSetCookie()) {
        const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
        if (value === "") kept.delete(name);
        else kept.set(name, value);
      }
      return response;
    },
  };
}

/** The CRC-32 of PNG. */
function checksum(bytes: Uint8Array): number {
  let sum = 0xffff_ffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb8_8320 : 0);
  }
  return ~sum >>> 0;
}

/** A PNG of one pixel. */
function pixel(): Uint8Array {
  const chunk = (kind: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(checksum(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = chunk("IHDR", Uint8Array.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]));
  const data = chunk("IDAT", deflateSync(Buffer.alloc(4)));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), head, data, chunk("IEND", new Uint8Array())]);
}

async function throughMessenger(): Promise<void> {
  const client = createClient<Messenger>({ baseUrl });
  const number = "13912350001";
  const sent = await client.POST("/verify_code", { body: { zone: 86, number } });
  const code = sent.data?.code;
  holds("the code is shown", typeof code === "string", sent);
  const wrong = await client.POST("/auth/token", { body: { number, code: code === "000000" ? "111111" : "000000" } });
  holds("a wrong code is refused", wrong.error !== undefined && "error" in wrong.error, wrong);
  const tokens = (await client.POST("/auth/token", { body: { zone: "86", number, code } })).data;
  holds("signed in", tokens !== undefined);
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  const patched = await client.PATCH("/users/me", { headers, body: { name: "Tom" } });
  holds("the name is set", patched.response.status === 200, patched);
  const stored = await client.PUT("/users/me/avatar", {
    headers: { ...headers, "content-type": "application/octet-stream" },
    body: "",
    bodySerializer: () => pixel(),
  });
  holds("the picture is stored", stored.data !== undefined, stored);
  const name = stored.data.src.split("/").pop() ?? "";
  const image = await client.GET("/images/{name}", { params: { path: { name } }, parseAs: "arrayBuffer" });
  holds("the picture comes back", (image.data?.byteLength ?? 0) > 60, image.data);
  const found = await client.POST("/users", { headers, body: [{ zone: 86, number }] });
  holds("the number is found", found.data?.[0]?.uid === tokens.uid, found);
  const fresh = await client.POST("/auth/refresh_token", { body: { refresh_token: tokens.refresh_token } });
  holds("refreshed", typeof fresh.data?.access_token === "string", fresh);
}

async function throughWeb(): Promise<void> {
  const client = createClient<Web>({ baseUrl });
  client.use(cookies());
  const [mobile, id] = ["13912350002", randomUUID()];
  const nobody = (await client.GET("/api/v1.0/session")).data;
  holds("not signed in", nobody?.errno === "4101", nobody);
  const captcha = await client.GET("/api/v1.0/imagecode/{image_code_id}", {
    params: { path: { image_code_id: id } },
    parseAs: "arrayBuffer",
  });
  const text = captcha.response.headers.get("x-captcha-text") ?? "";
  const sent = await client.GET("/api/v1.0/smscode/{mobile}", { params: { path: { mobile }, query: { text, id } } });
  holds("a code is sent", sent.data?.errno === "0", sent);
  const body = { mobile, sms_code: await codeFor(mobile), password: PASSWORD };
  const made = (await client.POST("/api/v1.0/users", { body })).data;
  holds("registered", made?.errno === "0", made);
  const named = (await client.PUT("/api/v1.0/user/name", { body: { name: "Tom Web" } })).data;
  holds("the name is set", named?.errno === "0", named);
  const user = (await client.GET("/api/v1.0/user")).data;
  holds("the name is kept", user?.errno === "0" && user.data.name === "Tom Web", user);
  holds("it is the same user", user.data.user_id === made.data.user_id, user);
  const ended = (await client.DELETE("/api/v1.0/session")).data;
  holds("signed out", ended?.errno === "0", ended);
  const again = (await client.POST("/api/v1.0/sessions", { body: { mobile, password: PASSWORD } })).data;
  holds("signed in again", again?.errno === "0", again);
}

async function throughSealTalk(): Promise<void> {
  const client = createClient<SealTalk>({ baseUrl });
  client.use(cookies());
  const [region, phone] = [86, "13912350003"];
  const sent = (await client.POST("/user/send_code", { body: { region, phone } })).data;
  holds("a code is sent", sent?.code === 200, sent);
  const wrong = (await client.POST("/user/login", { body: { region, phone, password: "another-pass" } })).data;
  holds("a wrong password is refused", wrong?.code === 1000, wrong);
  const checked = (await client.POST("/user/verify_code", { body: { region, phone, code: await codeFor(phone) } })).data;
  holds("the code is right", checked?.code === 200, checked);
  const { verification_token } = checked.result;
  const body = { nickname: "Tom", password: PASSWORD, verification_token };
  const made = (await client.POST("/user/register", { body })).data;
  holds("registered", made?.code === 200, made);
  const signed = (await client.POST("/user/login", { body: { region, phone, password: PASSWORD } })).data;
  holds("signed in", signed?.code === 200 && signed.result.id === made.result.id, signed);
  const named = (await client.POST("/user/set_nickname", { body: { nickname: "Tom S" } })).data;
  holds("the nickname is set", named?.code === 200, named);
  const user = (await client.GET("/user/{id}", { params: { path: { id: signed.result.id } } })).data;
  holds("the nickname is kept", user?.result.nickname === "Tom S", user);
  const synced = (await client.POST("/user/sync/{version}", { params: { path: { version: 0 } } })).data;
  holds("synced", synced?.code === 200, synced);
  const ended = (await client.POST("/user/logout")).data;
  holds("signed out", ended?.code === 200, ended);
}

async function throughRooms(): Promise<void> {
  const client = createClient<Rooms>({ baseUrl });
  const account = { username: "tom-typescript", password: PASSWORD };
  const made = (await client.POST("/users/", { body: { ...account, nickname: "Tom" } })).data;
  holds("registered", made?.status === "SUCCESS", made);
  const wrong = await client.POST("/login/", { body: { ...account, password: "another-pass" } });
  holds("a wrong password is refused", wrong.error !== undefined && "status" in wrong.error, wrong);
  const user = (await client.POST("/login/", { body: account })).data;
  holds("signed in", user?.status === "SUCCESS", user);
  const { token } = user;
  const params = { path: { pk: user.pk } };
  const changed = (await client.PUT("/users/{pk}/", { params, body: { token, city: "Shenzhen" } })).data;
  holds("the city is kept", changed?.city === "Shenzhen", changed);
  const room = (await client.POST("/rooms/", { body: { room_alias: "typescript room", token } })).data;
  holds("a room is made", room?.active === true, room);
  const page = (await client.GET("/rooms/")).data;
  holds("the room is listed", page?.results.some((row) => row.pk === room.pk) === true, page);
  const path = { pk: room.pk };
  const closed = (await client.PUT("/rooms/{pk}/", { params: { path }, body: { token, active: false } })).data;
  holds("the room is closed", closed?.active === false, closed);
  const gone = await client.DELETE("/rooms/{pk}/", { params: { path, query: { token } } });
  holds("the room is deleted", gone.response.status === 204, gone);
}

async function throughDevice(): Promise<void> {
  const client = createClient<Device>({ baseUrl });
  const phoneNumber = "13912350005";
  const asked = (await client.POST("/verification_codes", { body: { phoneNumber, flag: 0 } })).data;
  holds("a code is sent", asked?.success === true, asked);
  const code = await codeFor(phoneNumber);
  const checked = (await client.POST("/verification_codes/verify", { body: { phoneNumber, code } })).data;
  holds("the code is right", checked?.success === true, checked);
  const user = { phoneNumber, password: PASSWORD };
  const made = (await client.POST("/users/register", { body: { code, user } })).data;
  holds("registered", made?.success === true, made);
  const wrong = (await client.POST("/users/login", { body: { user: { phoneNumber, password: "another-pass" } } })).data;
  holds("a wrong password is refused", wrong?.success === false, wrong);
  const device = { pushToken: "a-channel", platform: 1 };
  const signed = (await client.POST("/users/login", { body: { user, device } })).data;
  holds("signed in", signed?.success === true, signed);
  const headers = { "access-token": signed.data.accessToken };
  const path = { id: signed.data.user.id };
  const body = { device: { pushToken: "another-channel", platform: 1 } };
  const moved = (await client.POST("/users/{id}/update-device-token", { params: { path }, headers, body })).data;
  holds("the push token is kept", moved?.success === true, moved);
  const ended = (await client.POST("/users/logout", { headers })).data;
  holds("signed out", ended?.success === true, ended);
}

async function throughSupabase(): Promise<void> {
  const client = createClient<Supabase>({ baseUrl });
  const number = "13912350006";
  const phone = `86${number}`;
  const sent = await client.POST("/auth/v1/otp", { body: { phone } });
  holds("a code is sent", sent.response.status === 200, sent);
  const code = await codeFor(number);
  const guess = { type: "sms", phone, token: code === "000000" ? "111111" : "000000" };
  const wrong = await client.POST("/auth/v1/verify", { body: guess });
  holds("a wrong code is refused", wrong.error !== undefined && "error_code" in wrong.error, wrong);
  const session = (await client.POST("/auth/v1/verify", { body: { type: "sms", phone, token: code } })).data;
  holds("signed in", session?.token_type === "bearer", session);
  const headers = { authorization: `Bearer ${session.access_token}` };
  const changed = (await client.PUT("/auth/v1/user", { headers, body: { password: PASSWORD } })).data;
  holds("the password is set", changed?.id === session.user.id, changed);
  const byPassword = { params: { query: { grant_type: "password" } }, body: { phone, password: PASSWORD } };
  const again = (await client.POST("/auth/v1/token", byPassword)).data;
  holds("the password signs in", again?.user.id === session.user.id, again);
  const { refresh_token } = again;
  const refresh = { params: { query: { grant_type: "refresh_token" } }, body: { refresh_token } };
  const fresh = (await client.POST("/auth/v1/token", refresh)).data;
  holds("refreshed", typeof fresh?.access_token === "string", fresh);
  const user = (await client.GET("/auth/v1/user", { headers })).data;
  holds("the user is read", user?.phone === phone, user);
  const ended = await client.POST("/auth/v1/logout", { headers, params: { query: { scope: "local" } } });
  holds("signed out", ended.response.status === 204, ended);
}

/** The headers of a new user, who signs in through the Supabase Auth API as an SDK does. */
async function signedIn(number: string): Promise<{ authorization: string }> {
  const client = createClient<Supabase>({ baseUrl });
  const phone = `+86${number}`;
  await client.POST("/auth/v1/otp", { body: { phone } });
  const body = { type: "sms", phone, token: await codeFor(number) };
  const session = (await client.POST("/auth/v1/verify", { body })).data;
  holds("signed in", session !== undefined);
  return { authorization: `Bearer ${session.access_token}` };
}

async function throughCommon(): Promise<void> {
  const client = createClient<Common>({ baseUrl });
  const number = "13912350007";
  const [headers, others] = [await signedIn(number), await signedIn("13912350008")];
  const nobody = await client.GET("/v1/me");
  holds("not signed in", nobody.error !== undefined && "code" in nobody.error, nobody);
  holds("the reason is a word", nobody.error.code === "credential_missing", nobody);
  const me = (await client.PATCH("/v1/me", { headers, body: { name: "Tom" } })).data;
  holds("the name is set", me?.name === "Tom", me);
  const stored = await client.POST("/v1/media", {
    headers,
    params: { header: { "Idempotency-Key": randomUUID() } },
    body: "",
    bodySerializer: () => pixel(),
  });
  holds("the picture is stored", stored.data?.kind === "image", stored);
  const { name, url } = stored.data;
  const picture = await fetch(url);
  holds("the picture comes back", picture.ok, picture.status);
  const avatar = (await client.PUT("/v1/me/avatar", { headers, body: { media: name } })).data;
  holds("it is the user's picture", avatar?.avatar === url, avatar);
  const looked = { headers: others, body: { phones: [`+86${number}`, "+8613912350000"] } };
  const found = (await client.POST("/v1/contacts/lookup", looked)).data;
  holds("the number is found", found?.items.length === 1 && found.items[0]?.user.id === me.id, found);
  const path = { id: me.id };
  const asked = (await client.PUT("/v1/friends/{id}", { headers: others, params: { path }, body: { message: "Hi" } })).data;
  holds("a request is sent", asked?.state === "requested", asked);
  const requests = (await client.GET("/v1/friend_requests", { headers })).data;
  const other = requests?.items[0]?.user.id;
  holds("the request is listed", other !== undefined, requests);
  const accepted = (await client.PUT("/v1/friends/{id}", { headers, params: { path: { id: other } } })).data;
  holds("they are friends", accepted?.state === "friends", accepted);
  const group = { headers, body: { name: "Trip", members: [other] } };
  const made = (await client.POST("/v1/groups", group)).data;
  holds("a group is made", made !== undefined);
  const synced = (await client.GET("/v1/sync", { headers: others })).data;
  holds("the group is synced", synced?.groups.some((row) => row.id === made.id) === true, synced);
  const sessions = (await client.GET("/v1/sessions", { headers })).data;
  holds("the session is listed", sessions?.items.some((row) => row.current) === true, sessions);
  const gone = await client.DELETE("/v1/me", { headers });
  holds("the account is deleted", gone.response.status === 204, gone);
  const ended = await client.GET("/v1/me", { headers });
  holds("its session has ended", ended.response.status === 401, ended);
}

const flows = [
  throughMessenger, throughWeb, throughSealTalk, throughRooms, throughDevice, throughSupabase, throughCommon,
];
for (const flow of flows) {
  await flow();
  console.log(`ok     typescript: ${flow.name}`);
}
