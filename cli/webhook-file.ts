import type { Call } from "../shared/call.ts";
import { parseCxmlWebhook } from "../shared/cxml-webhook.ts";
import { readOffer } from "../shared/relay-call.ts";
import { parseSwmlWebhook } from "../shared/swml-webhook.ts";
import { readTextFile } from "./read-file.ts";

export type ReadCall = { ok: true; call: Call } | { ok: false; message: string };

/**
 * The call that a file tells of: the JSON body of a SWML webhook, the form of a cXML one, or RELAY's `calling.call.receive`,
 * told apart by what is in it.
 */
export async function readCallFile(file: string): Promise<ReadCall> {
  let body: string;
  try {
    body = await readTextFile(file);
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  const text = body.trim();
  if (text === "") return { ok: false, message: `${file} is empty` };
  const json = jsonOf(text);
  const offer = json === undefined ? null : readOffer(paramsOf(json));
  if (offer !== null) return { ok: true, call: offer.call };
  const isForm = json === undefined && /^[A-Za-z]\w*=/.test(text);
  const read = isForm
    ? parseCxmlWebhook({ form: new URLSearchParams(text), query: [] })
    : parseSwmlWebhook(text);
  if (read.ok) return { ok: true, call: read.call };
  const { path, message } = read;
  return {
    ok: false,
    message: `${file} is no webhook's body: ${path === "" ? "" : `${path}: `}${message}. It is the JSON of a SWML webhook, the form of a cXML one, or RELAY's calling.call.receive`,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The params of a `calling.call.receive`, however much of the frame around them was copied. */
function paramsOf(json: unknown): unknown {
  const event = part(json, "params") ?? json;
  if (part(json, "event_type") === "calling.call.receive") return event;
  return part(event, "event_type") === "calling.call.receive" ? part(event, "params") : null;
}

function part(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
