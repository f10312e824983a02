import { exports } from "cloudflare:workers";
import { signJson } from "../../shared/signature.ts";
import type { Fixture } from "./fixture.ts";

/** A call that was asked for its PIN, with what its document brings back. */
export interface AskedCall {
  body: { call: Record<string, unknown>; params: Record<string, unknown> };
}

interface Caller {
  from: string;
  to: string;
  /** A new call unless it is told. */
  call_id?: string;
}

/** What SignalWire would post for a call, signed; the document that answers it, as text. */
async function post(home: Fixture, body: Record<string, unknown>): Promise<string> {
  const text = JSON.stringify(body);
  const { signing_key } = home.carrier;
  const signature = await signJson("SHA-256", signing_key, home.webhook_url, new TextEncoder().encode(text));
  const response = await exports.default.fetch(home.webhook_url, {
    method: "POST",
    headers: { "content-type": "application/json", "x-signalwire-sha256-signature": signature },
    body: text,
  });
  return await response.text();
}

/** The call's first document. */
export async function call(
  home: Fixture,
  { from, to, call_id = crypto.randomUUID() }: Caller,
): Promise<{ document: string; asked: AskedCall }> {
  const arrived = {
    call_id,
    node_id: "node-1@us-east",
    call_state: "created",
    direction: "inbound",
    type: "phone",
    from,
    to,
    headers: [],
  };
  const document = await post(home, { call: arrived, vars: {}, params: {} });
  return { document, asked: { body: { call: arrived, params: paramsOf(document) } } };
}

/** The document that answers these digits, and what brings the call back from there. */
export async function key(
  home: Fixture,
  { body }: AskedCall,
  digits: string,
): Promise<{ document: string; asked: AskedCall }> {
  const vars = { prompt_result: "match_digits", prompt_value: digits };
  const document = await post(home, { ...body, vars });
  return { document, asked: { body: { ...body, params: paramsOf(document) } } };
}

function paramsOf(document: string): Record<string, unknown> {
  const { sections } = JSON.parse(document) as {
    sections: { main: { transfer?: { params: Record<string, unknown> } }[] };
  }; // Ours.
  return sections.main.find((step) => step.transfer)?.transfer?.params ?? {};
}
