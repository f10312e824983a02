import { createHmac, randomBytes, randomUUID } from "node:crypto";
import type { PreparedRequest } from "autocannon";
import { ivBytes, sealSecret } from "../../shared/credentials.ts";

/** The tenant of the bench, with what only it and the Workers know. */
export const project_id = randomUUID();
const signing_key = randomBytes(16).toString("hex");
const credentials_key = randomBytes(32).toString("base64");
const path = "/hooks/acme/swml";

export const bindings = { PUBLIC_URL: "http://bench.example.com", CREDENTIALS_KEY: credentials_key };

/** What the honest floor needs to know: it finds no tenant, and opens no record. */
export const honestBindings = { ...bindings, SIGNING_KEY: signing_key };

/** Numbers that rules name: `+15550000000` and up. */
export function number(index: number): string {
  return `+1555${String(index).padStart(7, "0")}`;
}

/** A ruleset of so many rules, each of which names a number and has a room for it. */
export function ruleset(rules: number): object {
  return {
    defaults: { join: { beep: "onEnter", region: "us" } },
    rules: Array.from({ length: rules }, (_, index) => ({
      id: `team-${index}`,
      match: { to: number(index) },
      place: { room: `team-${index}`, join: { max_participants: 100 } },
    })),
  };
}

/** What KV holds: the project, its tenant and 50 rules. */
export async function records(
  relay_url: string,
  contexts: Record<string, string> = {},
): Promise<Record<string, string>> {
  const seal = (secret: string) =>
    sealSecret(credentials_key, project_id, secret, crypto.getRandomValues(new Uint8Array(ivBytes)));
  return {
    [`project/${project_id}`]: JSON.stringify({
      space: "bench.example.com",
      relay_url,
      rest_url: relay_url.replace(/^ws/, "http"),
      contexts,
      credentials: await seal("PT-bench"),
      signing_keys: [await seal(signing_key)],
    }),
    "tenant/acme": JSON.stringify({ project_id }),
    "ruleset/acme": JSON.stringify(ruleset(50)),
  };
}

/** A call that was never seen before, as webhooks carry it. */
export function arrival(index: number) {
  const [from, to] = [number(1_000_000 + (index % 9_000_000)), number(index % 50)];
  return {
    call_id: randomUUID(),
    node_id: `${randomUUID()}@us-east`,
    segment_id: randomUUID(),
    call_state: "created",
    direction: "inbound",
    type: "phone",
    from,
    to,
    from_number: from,
    to_number: to,
    headers: [],
    project_id,
    space_id: randomUUID(),
  };
}

/** A signed webhook of a call that was never seen before. */
export function webhook(index: number): PreparedRequest & { call_id: string } {
  const call = arrival(index);
  return { ...signed(call, {}), call_id: call.call_id };
}

/** The webhook of a call, with the params that the document before it sent along. */
export function signed(call: ReturnType<typeof arrival>, params: object): PreparedRequest {
  const body = Buffer.from(JSON.stringify({ call, vars: {}, envs: {}, params }));
  const hmac = (digest: string) =>
    createHmac(digest, signing_key).update(`${bindings.PUBLIC_URL}${path}`).update(body).digest("hex");
  const headers = {
    "content-type": "application/json",
    "x-signalwire-signature": hmac("sha1"),
    "x-signalwire-sha256-signature": hmac("sha256"),
  };
  return { method: "POST", path, headers, body };
}
