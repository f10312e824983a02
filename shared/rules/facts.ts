import type { Call } from "../call.ts";
import type { Answers } from "./answers.ts";

/** What an expression sees, as CEL takes it: maps, since an object with a key named `constructor` is none to it. */
export interface Facts extends Record<string, unknown> {
  call: CallFacts;
  vars: ReadonlyMap<string, unknown>;
  params: ReadonlyMap<string, unknown>;
  answer: ReadonlyMap<string, string>;
  tenant: string;
  now: Date;
}

/** The call as CEL's checker knows it: a class, so that it is taken as it is and never copied. */
export class CallFacts {
  readonly call_id: string;
  readonly from: string;
  readonly to: string;
  readonly direction: string;
  readonly type: string;
  readonly via: string;
  /** The first value of each, by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;

  constructor({ call_id, from, to, direction, type, via, headers }: Call) {
    this.call_id = call_id;
    this.from = from;
    this.to = to;
    this.direction = direction;
    this.type = type;
    this.via = via;
    this.headers = new Map(Object.entries(headers).map(([name, values]) => [name, values[0] ?? ""]));
  }
}

/** The call's fields that are text. */
export const callFields = ["call_id", "from", "to", "direction", "type", "via"] as const;

export type CallField = (typeof callFields)[number];

export function isCallField(name: string): name is CallField {
  return callFields.some((field) => field === name);
}

/** Of a secret's answer there is no value to see. */
export function factsOf(call: Call, now_ms: number, answers: Answers | undefined, tenant: string): Facts {
  const keyed = Object.entries(answers ?? {}).flatMap(([name, { value }]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    call: new CallFacts(call),
    vars: mapOf(call.vars),
    params: mapOf(call.params),
    answer: new Map(keyed),
    tenant,
    now: instantOf(now_ms),
  };
}

/** The values as a map whose first value CEL does not look into: `'tier' in params` would fail for what that one holds. */
function mapOf(values: Record<string, unknown>): ReadonlyMap<string, unknown> {
  const map = new Map(Object.entries(values));
  // What CEL tells a map's type from, and nothing else.
  map.entries = () => new Map<string, unknown>().entries();
  return map;
}

/** An instant whose time in a zone is worked out once, however many expressions ask: it takes a tenth of a millisecond. */
function instantOf(now_ms: number): Date {
  const instant = new Date(now_ms);
  const known = new Map<string, string | Error>();
  // What getHours('Europe/Berlin') and its like read the time from. It fails where there is no such zone.
  instant.toLocaleString = (...format: [string?, Intl.DateTimeFormatOptions?]) => {
    const key = JSON.stringify(format);
    const time = known.get(key) ?? timeAs(instant, format);
    known.set(key, time);
    if (typeof time === "string") return time;
    throw time;
  };
  return instant;
}

function timeAs(instant: Date, format: [string?, Intl.DateTimeFormatOptions?]): string | Error {
  try {
    return Date.prototype.toLocaleString.apply(instant, format);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
