// The change of a nickname as `profiles` does it: verifies the access token, makes one conditional update, answers in JSON
// and writes a log line. It uses Node's own verification of signatures, which is faster than any library for tokens.
import { createPublicKey, verify } from "node:crypto";
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";

const { TABLE, TOKEN_ISSUER, TOKEN_AUDIENCE, TOKEN_KEY } = process.env;
const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: TOKEN_KEY }, format: "jwk" });
const dynamodb = new DynamoDBClient({});
// The second client of a usual function. It is made and not used here.
export const sns = new SNSClient({});

const claimsOf = (authorization) => {
  const token = authorization?.match(/^Bearer (.+)$/i)?.[1] ?? "";
  const [header, payload, signature] = token.split(".");
  if (!signature || !verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"))) return;
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  const ours = claims.iss === TOKEN_ISSUER && claims.aud === TOKEN_AUDIENCE;
  return ours && claims.exp * 1000 > Date.now() ? claims : undefined;
};

const answer = (statusCode, body) => ({
  statusCode,
  headers: { "content-type": "application/json", "cache-control": "no-store" },
  body: JSON.stringify(body),
  isBase64Encoded: false,
});

const change = async (event) => {
  const claims = claimsOf(event.headers.authorization);
  if (!claims) return answer(401, { error: "not signed in" });
  const { value } = JSON.parse(event.body);
  if (typeof value !== "string" || value.length < 1 || value.length > 64) return answer(400, { error: "invalid" });
  try {
    await dynamodb.send(
      new UpdateItemCommand({
        TableName: TABLE,
        Key: { pk: { S: `user#${claims.sub}` }, sk: { S: "account" } },
        UpdateExpression: "SET #seen = :now, #name = :name",
        ConditionExpression: "#sessions.#sid.#expires > :now AND #sessions.#sid.#ends > :now",
        ExpressionAttributeNames: {
          "#seen": "seen", "#name": "name", "#sessions": "sessions", "#sid": claims.sid, "#expires": "expires", "#ends": "ends",
        },
        ExpressionAttributeValues: { ":now": { N: String(Date.now()) }, ":name": { S: value } },
        ReturnValues: "ALL_NEW",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
  } catch (error) {
    if (error.name === "ConditionalCheckFailedException") return answer(401, { error: "not signed in" });
    throw error;
  }
  return answer(200, { result: true });
};

export const handler = async (event) => {
  const began = Date.now();
  const response = await change(event);
  console.log(JSON.stringify({ event: "request", route: event.routeKey, status: response.statusCode, millis: Date.now() - began }));
  return response;
};
