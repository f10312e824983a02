export const JSON_TYPE = "application/json";
export const FORM = "application/x-www-form-urlencoded";

/** A value as it is drawn: what is large or has no JSON stands there by a recipe. */
export type Value =
  | string
  | number
  | boolean
  | null
  | readonly Value[]
  | { readonly fields: readonly (readonly [string, Value])[] }
  /** The text so often. */
  | { readonly text: string; readonly times: number }
  /** Lists, or objects, in one another. */
  | { readonly nested: "list" | "object"; readonly depth: number }
  /** A list of so many letters. */
  | { readonly items: number };

type Fields = readonly (readonly [string, Value])[];

/** What a request's body is made of. */
export type Body =
  | { is: "none" }
  | { is: "text"; text: string; type: string }
  | { is: "bytes"; base64: string; type: string }
  | { is: "repeated"; text: string; times: number; type: string }
  /** JSON of any kind. */
  | { is: "json"; value: Value; type: string }
  /** A call's webhook: `call`'s fields, then `vars` and `params`; as a form they are the fields of cXML. */
  | { is: "call"; as: "json" | "form"; call: Fields; vars: Fields; params: Fields; more: Fields }
  /** A status callback: the fields of `params`, in RELAY's words; as a form in cXML's. */
  | { is: "event"; as: "json" | "form"; event_type: Value; timestamp: Value; params: Fields; more: Fields }
  | { is: "fields"; count: number; length: number };

/** The body as it is sent, and its type; null: none is said. */
export function bodyBytes(
  body: Body,
  filled: (text: string) => string,
): { bytes: Buffer; type: string | null } {
  switch (body.is) {
    case "none":
      return { bytes: Buffer.alloc(0), type: null };
    case "text":
      return { bytes: Buffer.from(filled(body.text)), type: body.type };
    case "bytes":
      return { bytes: Buffer.from(body.base64, "base64"), type: body.type };
    case "repeated":
      return { bytes: Buffer.from(body.text.repeat(body.times)), type: body.type };
    case "json":
      return { bytes: Buffer.from(filled(textOf(body.value))), type: body.type };
    case "fields": {
      const pairs = Array.from({ length: body.count }, (_, index) => `f${index}=${"v".repeat(body.length)}`);
      return { bytes: Buffer.from(`CallSid=alfa-1&From=%2B15550100001&${pairs.join("&")}`), type: FORM };
    }
    case "call":
    case "event": {
      const text = body.as === "json" ? textOf(jsonOf(body)) : formOf(body);
      return { bytes: Buffer.from(filled(text)), type: body.as === "json" ? JSON_TYPE : FORM };
    }
  }
}

type Webhook = Extract<Body, { is: "call" | "event" }>;

function jsonOf(body: Webhook): Value {
  if (body.is === "call") {
    const { call, vars, params, more } = body;
    return {
      fields: [
        ["call", { fields: call }],
        ["vars", { fields: vars }],
        ["params", { fields: params }],
        ...more,
      ],
    };
  }
  const { event_type, timestamp, params, more } = body;
  return {
    fields: [["event_type", event_type], ["timestamp", timestamp], ["params", { fields: params }], ...more],
  };
}

/** cXML's names of the fields that have others there. */
const formNames: Readonly<Record<string, string>> = {
  call_id: "CallSid",
  from: "From",
  to: "To",
  call_state: "CallStatus",
  direction: "Direction",
  prompt_value: "Digits",
  conference_id: "ConferenceSid",
  name: "FriendlyName",
  status: "StatusCallbackEvent",
  timestamp: "Timestamp",
};

function formOf(body: Webhook): string {
  const fields: Fields =
    body.is === "call"
      ? [...body.call, ...body.vars, ...body.params, ...body.more]
      : [["timestamp", body.timestamp], ...body.params, ...body.more];
  const pairs = fields.map(([name, value]): [string, string] => [
    Object.hasOwn(formNames, name) ? (formNames[name] ?? name) : name,
    typeof value === "string" ? value : plain(textOf(value)),
  ]);
  return `${new URLSearchParams(pairs)}`;
}

/** A text's JSON without its quotes. */
function plain(json: string): string {
  return json.startsWith('"') ? json.slice(1, -1) : json;
}

/** The value's JSON, written here and not by JSON.stringify, which neither nests so deep nor repeats a name. */
function textOf(value: Value): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(textOf).join(",")}]`;
  if ("times" in value) return JSON.stringify(value.text.repeat(value.times));
  if ("items" in value) return JSON.stringify(Array.from({ length: value.items }, () => "x"));
  if ("depth" in value) {
    const [open, close] = value.nested === "list" ? ["[", "]"] : ['{"a":', "}"];
    return `${open.repeat(value.depth)}1${close.repeat(value.depth)}`;
  }
  return `{${value.fields.map(([name, one]) => `${JSON.stringify(name)}:${textOf(one)}`).join(",")}}`;
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value);
}
