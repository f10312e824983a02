import * as z from "zod";
// By name: the namespace as a value would bring every language that Zod speaks into the bundle.
import { _check } from "zod/v4/core";
import { addressPattern } from "../address.ts";
import { TEXT_LENGTH, VALUES, WHEN_LENGTH } from "../limits.ts";
import { name, word } from "./name-schema.ts";
import { sparse } from "./sparse-object.ts";
import { strictObject, unknownKeys } from "./strict-object.ts";

export const ADDRESS_MESSAGE =
  'must be an E.164 number such as "+15550100100", a prefix such as "+1555*", a SIP URI such as "sip:*@example.com", or "anonymous"';

const fromList = strictObject({
  list: name("a list's name").describe("The name of a list in `lists`."),
});
const presence = strictObject({
  present: z.boolean().describe("true: it is there, whatever it says. false: it is not there."),
});

/** A secret as rulesets hold it: no one can read the digits out of it, short as they are. */
export const hmac = strictObject({
  hmac: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "must be 64 hex digits, as `npx partyline secret` prints them")
    .describe("A secret's HMAC, as `npx partyline secret` makes it."),
});

/** One value, several of which any will do, or a list by name. */
function anyOf<Value extends z.ZodType<string>>(value: Value, values = z.array(value).min(1).max(VALUES)) {
  return z.union([value, values, fromList], {
    error: 'must be text, a list of texts, or { "list": "name" }',
  });
}

const address = anyOf(z.string().max(512).regex(addressPattern, ADDRESS_MESSAGE));
const plainText = z.string().min(1).max(TEXT_LENGTH);
const text = z.union([plainText, z.array(plainText).min(1).max(VALUES), fromList, presence], {
  error: 'must be text, a list of texts, { "list": "name" } or { "present": true }',
});
const keyed = z
  .string()
  .regex(/^[0-9*#]{1,32}$/, 'must be what can be keyed: 1 to 32 digits, * and #, such as "1234"');
/** PINs of KV, thousands of them: those that `pins/<tenant>/<hmac>` names. */
const pins = strictObject({
  pins: z
    .union(
      [
        z.literal(true),
        strictObject({
          role: name("a role's name").describe("The role that the PIN's record in KV has."),
        }),
      ],
      { error: 'must be true, or { "role": "name" }' },
    )
    .describe(
      "true: any PIN of the tenant's in KV, as `npx partyline secret` prints the keys. Or those of one role.",
    ),
});

/** # alone, or silence, where the question takes no digits, too. */
const none = strictObject({
  none: z
    .literal(true)
    .describe('true: nothing was keyed, or # alone, where the question\'s digits begin with 0, as in "0-6".'),
});

const answer = z.union(
  [
    keyed,
    hmac,
    z
      .array(z.union([keyed, hmac]))
      .min(1)
      .max(VALUES),
    fromList,
    pins,
    none,
  ],
  {
    error:
      'must be digits in quotes, { "hmac": "…" }, a list of these, { "list": "name" }, { "pins": true } or { "none": true }',
  },
);
const scheduleName = name("a schedule's name");
const schedules = z.union([scheduleName, z.array(scheduleName).min(1).max(100)], {
  error: "must be the name of a schedule, or a list of names",
});

/** The words that a call's direction and type can be. */
export const directions = ["inbound", "outbound"] as const;
export const callTypes = ["phone", "sip", "webrtc"] as const;

const fields = {
  to: address.exactOptional().describe("The number or SIP URI that was called."),
  from: address.exactOptional().describe("The number or SIP URI that calls; anonymous where it is withheld."),
  direction: anyOf(z.enum(directions)).exactOptional().describe("inbound or outbound."),
  type: anyOf(z.enum(callTypes)).exactOptional().describe("phone, sip or webrtc."),
  headers: z
    .record(
      word(
        "a header's name",
        /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/,
        "1 to 128 of the characters that SIP allows",
      ),
      text,
    )
    .exactOptional()
    .describe(
      "SIP headers by name, in any case. A header sent several times matches by any of its values. * stands for any text.",
    ),
  params: z
    .record(z.string().min(1).max(128), text)
    .exactOptional()
    .describe(
      "Parameters that a `transfer` or `execute` passed, by name; numbers are compared as text. * stands for any text.",
    ),
  vars: z
    .record(z.string().min(1).max(128), text)
    .exactOptional()
    .describe(
      "Variables that earlier steps of the call set, by name; numbers are compared as text. * stands for any text.",
    ),
  during: schedules.exactOptional().describe("Schedules of which one is open."),
  outside: schedules.exactOptional().describe("Schedules none of which is open."),
  when: z
    .string()
    .min(1)
    .max(WHEN_LENGTH)
    .exactOptional()
    .describe(
      "A CEL expression over call, vars, params, answer, tenant and now, e.g. call.headers['x-tier'] != 'trial'. Where it fails, the rule does not match.",
    ),
};

type Fields = z.infer<z.ZodObject<typeof fields, z.core.$strict>>;

export type Match = Fields & { not?: Match } & { [name: `answer.${string}`]: AnswerMatcher };

const ANSWER = /^answer\.[a-z][a-z0-9_]{0,31}$/;
/** What `not` is, for authors of rules. */
export const NOT_SAYS = "A match that must not hold. It fails where any part of it does.";
const known = [...Object.keys(fields), "not"];

const object = sparse(
  z.looseObject({
    ...fields,
    get not(): z.ZodType<Match | undefined> {
      return match.exactOptional().describe(NOT_SAYS);
    },
  }),
)
  // Unlike other checks, this one runs where a field is wrong too: all that is wrong is said at once.
  .check(_check(checkOtherKeys, { when: () => true }))
  .meta({
    additionalProperties: false,
    patternProperties: {
      [ANSWER.source]: {
        ...z.toJSONSchema(answer, { io: "input" }),
        $schema: undefined,
        description: "What was keyed when this was asked.",
      },
    },
  });

/** What a call must be, all of it. */
// The check lets nothing through but the fields and answers, which the object alone cannot say.
export const match = object as unknown as z.ZodType<Match>;

/** Keys besides the fields are answers' names, and nothing else. */
function checkOtherKeys({ value, issues }: z.core.ParsePayload<Record<string, unknown>>): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  const unknown: string[] = [];
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    if (!ANSWER.test(key)) {
      unknown.push(key);
      continue;
    }
    const read = answer.safeParse(value[key]);
    for (const issue of read.error?.issues ?? [])
      issues.push({ ...issue, input: value[key], path: [key, ...issue.path] } as z.core.$ZodRawIssue);
  }
  if (unknown.length === 0) return;
  const message = unknownKeys([...known, "answer.<name>"]);
  issues.push({ code: "unrecognized_keys", keys: unknown, message, input: value });
}

/** A field's wanted value, values or list, as written. */
export type Wanted = z.infer<typeof address>;
/** Likewise, or whether it is there at all. */
export type TextMatcher = z.infer<typeof text>;
export type AnswerMatcher = z.infer<typeof answer>;
export type PinMatcher = z.infer<typeof pins>;
export type NoneMatcher = z.infer<typeof none>;
export type Hmac = z.infer<typeof hmac>;

/** Whether a match wants a PIN of KV. */
export function wantsPins(wanted: AnswerMatcher): wanted is PinMatcher {
  return typeof wanted === "object" && "pins" in wanted;
}

/** Whether a match wants that nothing was keyed. */
export function wantsNone(wanted: AnswerMatcher): wanted is NoneMatcher {
  return typeof wanted === "object" && "none" in wanted;
}

/** The answers that a match wants, by name. */
export function answerMatchers(match: Match): [name: string, wanted: AnswerMatcher][] {
  const found: [string, AnswerMatcher][] = [];
  for (const key of Object.keys(match)) {
    if (!isAnswer(key)) continue;
    const wanted = match[key];
    if (wanted !== undefined) found.push([key.slice("answer.".length), wanted]);
  }
  return found;
}

function isAnswer(key: string): key is `answer.${string}` {
  return key.startsWith("answer.");
}
