import * as z from "zod";
import type { Call, Webhook } from "./call.ts";
import { headersOf, isSip } from "./sip.ts";

/**
 * The form that SignalWire posts (or the query that it asks with) to fetch a cXML document, as its cXML reference has it.
 * Only what routing stands on is required; every other field may be missing, and unknown ones are kept.
 */
const formSchema = z.looseObject({
  CallSid: z.string().min(1).max(200),
  AccountSid: z.string().max(200).optional(),
  CallStatus: z.string().max(40).optional(),
  Direction: z.string().max(40).default("inbound"),
  From: z.string().max(1024).default(""),
  To: z.string().max(1024).default(""),
  Digits: z.string().optional(),
});

/** The call's state in SWML's words. */
const states: Readonly<Record<string, string>> = {
  queued: "created",
  initiated: "created",
  "in-progress": "answered",
  completed: "ended",
  busy: "ended",
  failed: "ended",
  "no-answer": "ended",
  canceled: "ended",
};

const SIP_HEADER = /^SipHeader_(.+)$/s;
/** What a caller can key; no answer takes more of it. */
const KEYED = /^[0-9*#]{1,64}$/;
/** SignalWire's own fields begin with a capital, and so does nothing that a pasted URL's query should hold. */
const FIELD = /^[A-Z]/;

/** Fields of a form; SignalWire sends some twenty, and one for each SIP header. */
export const FIELDS = 300;
/** Fields that decide on a call. In a GET the author of the URL may have put one of these before SignalWire's own. */
const ONCE = [...Object.keys(formSchema.shape), "DialCallStatus"];

/** A webhook's fields, by where they stood. */
export interface CxmlFields {
  /** Of the body; null for a GET, whose fields stand in the query. */
  form: Iterable<[string, string]> | null;
  query: Iterable<[string, string]>;
}

/**
 * Reads a cXML webhook. Of a POST the body alone tells of the call, whatever the URL's query says. Our own state is taken from the
 * query alone, which is what we wrote it into; the rest of the query as it was pasted is the call's `params`.
 */
export function parseCxmlWebhook({ form, query }: CxmlFields): Webhook {
  const asked = [...query];
  // The digest is of one request, and signed with it.
  const { partyline, bodySHA256: _, ...params } = byName(asked.filter(([name]) => !FIELD.test(name)));
  const fields = form ? [...form] : asked.filter(([name]) => FIELD.test(name));
  if (fields.length > FIELDS) {
    const call_id = fields.find(([name]) => name === "CallSid")?.[1].slice(0, 200);
    const message = `there are over ${FIELDS} fields`;
    return { ok: false, path: "", message, ...(call_id ? { call_id } : {}) };
  }
  const repeated = form
    ? undefined
    : ONCE.find((once) => fields.filter(([name]) => name === once).length > 1);
  if (repeated !== undefined) {
    const message = "stands more than once in the URL: use POST, of which the body alone counts";
    return { ok: false, path: repeated, message, ambiguous: true };
  }
  const details = byName(fields);
  const parsed = formSchema.safeParse(firstByName(fields));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const call_id = z.looseObject({ CallSid: z.string().min(1).max(200) }).safeParse(details).data?.CallSid;
    return {
      ok: false,
      path: issue?.path.join(".") ?? "",
      message: issue?.message ?? "not a cXML webhook",
      ...(call_id === undefined ? {} : { call_id }),
    };
  }
  return { ok: true, partyline, call: callOf(parsed.data, details, params) };
}

function callOf(
  { CallSid, AccountSid, CallStatus, Direction, From, To, Digits }: z.infer<typeof formSchema>,
  // Keyed or spoken, it may be a secret: the question gets it, and nothing else sees it.
  { Digits: _, SpeechResult: __, ...details }: Record<string, unknown>,
  params: Record<string, unknown>,
): Call {
  return {
    via: "cxml",
    call_id: CallSid,
    ...(AccountSid === undefined ? {} : { project_id: AccountSid }),
    ...(CallStatus === undefined
      ? {}
      : { call_state: Object.hasOwn(states, CallStatus) ? (states[CallStatus] ?? "") : CallStatus }),
    direction: Direction.startsWith("outbound") ? "outbound" : Direction,
    type: isSip(From) || isSip(To) ? "sip" : "phone",
    from: From,
    to: To,
    headers: headersOf(sipHeaders(details)),
    vars: {},
    params,
    ...(Digits === undefined ? {} : { keyed: keyedOf(Digits) }),
    details,
  };
}

function keyedOf(digits: string): NonNullable<Call["keyed"]> {
  if (digits === "") return { result: "no_input", digits };
  return KEYED.test(digits) ? { result: "match_digits", digits } : { result: "no_match", digits: "" };
}

/** The SIP headers among a form's fields. */
function sipHeaders(details: Record<string, unknown>): { name: string; value: string }[] {
  return Object.entries(details).flatMap(([field, value]) => {
    const name = SIP_HEADER.exec(field)?.[1];
    if (name === undefined) return [];
    return [value].flat().flatMap((one) => (typeof one === "string" ? [{ name, value: one }] : []));
  });
}

/** A name that came once has a text; one that came again, a list of them. */
function byName(fields: readonly [string, string][]): Record<string, string | string[]> {
  const lists = new Map<string, string[]>();
  for (const [name, value] of fields) {
    const list = lists.get(name);
    if (list) list.push(value);
    else lists.set(name, [value]);
  }
  const named = [...lists].map(([name, [first = "", ...more]]): [string, string | string[]] => [
    name,
    more.length === 0 ? first : [first, ...more],
  ]);
  // `fromEntries` defines own properties, so that a field named "__proto__" is a field like any other.
  return Object.fromEntries(named);
}

/** Of a field that should come once the first counts. */
function firstByName(fields: readonly [string, string][]): Record<string, string> {
  return Object.fromEntries([...fields].reverse());
}
