import { validateCxml } from "../carrier/cxml/verbs.ts";
import { validateDocument } from "../carrier/swml/grammar.ts";
import { INJECTED } from "./arbitrary-values.ts";
import type { Canaries, Canary } from "./canaries.ts";
import { familyOf, type Input } from "./inputs.ts";
import { type Answer, UNSENDABLE } from "./wire.ts";

/** A way in which the Worker failed. */
export interface Fault {
  /** The same for faults of which one is enough to be told in full. */
  kind: string;
  what: string;
}

/** What a sender who may not ask is answered, by the part of the app: nothing that tells anything. */
const refusals = {
  swml: [403, 404, 413, 429],
  cxml: [403, 404, 413, 429],
  callback: [403, 404, 413, 429],
  ticket: [403, 404, 413, 429],
  // A WebSocket that a ticket opens.
  feed: [400, 401, 404, 426, 429],
  api: [401, 404, 429],
  open: [200, 404],
} as const;

/** What the Worker logs of its own faults. */
const OWN_FAULT =
  /\.broke$|^(document\.refused|callback\.not_taken|directory\.unreadable|directory\.stale|worker\.secrets_missing)$/;
/** What workerd says that means nothing: an attacker's own webhooks go to hosts that are nowhere; a stack follows what was said. */
const CHATTER = /^\s*$|^stack: |failed to lookup address information/;
/** A control that SignalWire refused: the one answer of 5xx that is no fault of the Worker's. */
const REFUSED_BY_SIGNALWIRE = /^\{"error":\{"code":"signalwire_refused"/;

/** What is wrong with an answer. @param authentic whether its sender may ask. */
export function faultsOf(input: Input, answer: Answer, authentic: boolean, canaries: Canaries): Fault[] {
  if (answer.status === UNSENDABLE) return [];
  const faults: Fault[] = [];
  if (!isExpected(input, answer, authentic)) {
    const shown =
      answer.status === 0 ? `no answer: ${answer.body}` : `${answer.status} ${answer.body.slice(0, 200)}`;
    faults.push({ kind: `status ${answer.status}`, what: `answered with ${shown}` });
  }
  const leaked = canaries
    .in(`${answer.headers}\n${answer.body}`)
    .filter((canary) => !mayShow(input, authentic, canary));
  for (const { kind, name } of leaked)
    faults.push({ kind: `secret in an answer: ${kind}`, what: `the answer shows the ${name}` });
  const document = documentFault(input, answer);
  if (document !== null) faults.push({ kind: "document", what: document });
  return faults;
}

/** What is wrong with a line of the log. */
export function logFaults(line: string, canaries: Canaries): Fault[] {
  const faults: Fault[] = canaries.in(line).map(({ kind, name }) => ({
    kind: `secret in the log: ${kind}`,
    what: `the log shows the ${name}: ${line.slice(0, 300)}`,
  }));
  const event = eventOf(line);
  if (event === null && !CHATTER.test(line))
    faults.push({ kind: "workerd", what: `workerd said ${line.slice(0, 300)}` });
  if (event !== null && OWN_FAULT.test(event))
    faults.push({ kind: event, what: `logged ${line.slice(0, 600)}` });
  return faults;
}

function isExpected(
  { route, params, path, body }: Input,
  { status, body: said }: Answer,
  authentic: boolean,
): boolean {
  const family = familyOf(route);
  if (status === 415) return (family === "cxml" || family === "callback") && isInParts(body);
  // Its documents serve unsigned requests.
  const isReporting = params["tenant"] === "reporting" && (family === "swml" || family === "cxml");
  if (!authentic || family === "open") {
    const allowed: readonly number[] = refusals[family];
    return allowed.includes(status) || (isReporting && status === 200);
  }
  switch (family) {
    case "swml":
    case "cxml":
      return [200, 413].includes(status) || (path !== "plain" && [403, 404, 429].includes(status));
    case "callback":
      return [204, 413].includes(status) || (path !== "plain" && [403, 404, 429].includes(status));
    case "api":
      return (status >= 200 && status < 500) || (status === 502 && REFUSED_BY_SIGNALWIRE.test(said));
    case "ticket":
    case "feed":
      return false;
  }
}

/** Parts that are no fields of a form, for those of an attack never are. */
function isInParts(body: Input["body"]): boolean {
  return "type" in body && body.type.startsWith("multipart/");
}

/** Where a secret is in the right hands. */
function mayShow({ route, params }: Input, authentic: boolean, { tenant, may_show }: Canary): boolean {
  if (!authentic || tenant === null || params["tenant"] !== tenant) return false;
  const family = familyOf(route);
  if (family === "swml" || family === "cxml") return may_show === "rules" || may_show === "calls";
  if (route === "GET /api/tenants/:tenant/pins/records") return may_show === "pins";
  // Masked are bearer tokens and HMACs; an operator sees the other URLs that the rules hold.
  return route.startsWith("GET /api/") && route.endsWith("/ruleset") && may_show === "rules";
}

function documentFault({ route, method }: Input, { status, body }: Answer): string | null {
  const family = familyOf(route);
  if (status !== 200 || (family !== "swml" && family !== "cxml") || method === "HEAD") return null;
  if (body.includes(`{${INJECTED}`)) return `the document holds code of the caller's: ${body.slice(0, 400)}`;
  if (family === "cxml") {
    const validation = validateCxml(body);
    return validation.ok
      ? null
      : `no cXML document: ${JSON.stringify(validation).slice(0, 400)} ${body.slice(0, 400)}`;
  }
  const validation = validateDocument(jsonOf(body));
  return validation.ok
    ? null
    : `no SWML document: ${JSON.stringify(validation.errors).slice(0, 400)} ${body.slice(0, 400)}`;
}

function eventOf(line: string): string | null {
  const json = jsonOf(line);
  return typeof json === "object" && json !== null && "event" in json && typeof json.event === "string"
    ? json.event
    : null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
