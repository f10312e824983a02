import * as z from "zod";
import { joinParameters } from "../../conference.ts";
import { RULES, TEXT_LENGTH, VALUES } from "../limits.ts";
import { type ActionText, actionNames, actionSchema, actions } from "./action-schema.ts";
import type { Written } from "./advice.ts";
import { type AskText, ask } from "./ask-schema.ts";
import { hmac, match } from "./match-schema.ts";
import { name, word } from "./name-schema.ts";
import { schedule, timezone } from "./schedule-schema.ts";
import { exactlyOne, strictObject } from "./strict-object.ts";
import { announcement, speech } from "./words-schema.ts";

export { actionSchema } from "./action-schema.ts";

const ruleFields = {
  id: word(
    "a rule's id",
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "1 to 64 letters, digits, ., - and _, the first a letter or digit",
  )
    .refine((id) => id !== "fallback", '"fallback" is what the fallback is called: choose another id')
    .describe("A name for the rule, its own in the ruleset; decisions and logs name it."),
  match: match.describe("What a call must be, all of it. {} is every call."),
};

export type Rule = z.infer<z.ZodObject<typeof ruleFields, z.core.$strict>> &
  ActionText & { ask?: AskText; rules?: Rule[] };

const rule: z.ZodType<Rule> = strictObject({
  ...ruleFields,
  ...actions,
  ask: ask
    .exactOptional()
    .describe("What the caller is asked before the group's rules: questions by name, answered in digits."),
  rules: z
    .lazy(() => z.array(rule).min(1).max(RULES))
    .exactOptional()
    .describe("Makes the rule a group: where its match holds, these are looked at, in order."),
}).check((context) => {
  exactlyOne(context, [...actionNames, "rules"]);
  const { ask, rules } = context.value;
  if (ask === undefined || rules !== undefined) return;
  const message = 'needs "rules" beside it, which say what each answer does';
  context.issues.push({ code: "custom", message, path: ["ask"], input: context.value });
});

const listValue = z.union([z.string().min(1).max(TEXT_LENGTH), hmac], {
  error: 'must be text, or { "hmac": "…" }',
});

/** A list that is kept in KV, apart from the rules that name it. */
const kvList = strictObject({
  kv: name("a list's name in KV").describe("The list that KV has under `list/<name>`, as JSON."),
});

/** What KV holds of a list, as JSON under `list/<name>`. */
export const listInKv = z.array(listValue).max(VALUES);

/** The language of rulesets. Every key explains itself, and so does the JSON Schema made from this. */
export const rulesetSchema = strictObject({
  ways_in: z
    .array(z.enum(["swml", "cxml", "relay"]))
    .min(1)
    .max(3)
    .exactOptional()
    .describe(
      "How calls come to these rules: swml, cxml (numbers that fetch a document of the kind), relay (contexts). What one of these cannot do is warned of. Changes nothing else.",
    ),
  timezone: timezone
    .exactOptional()
    .describe("The IANA time zone that times are meant in, e.g. America/New_York."),
  lists: z
    .record(
      name("a list's name"),
      z.union([z.array(listValue).max(VALUES), kvList], { error: 'must be a list, or { "kv": "name" }' }),
    )
    .exactOptional()
    .describe(
      "Values by name, for { list } in a match: numbers, words, dates, secrets. Or { kv }: a list of KV's, kept apart from the rules.",
    ),
  schedules: z
    .record(name("a schedule's name"), schedule)
    .exactOptional()
    .describe("Opening hours by name, for `during` and `outside` in a match."),
  roles: z
    .record(name("a role's name"), joinParameters)
    .exactOptional()
    .describe("Roles of your own by name: sets of join_conference's parameters."),
  defaults: strictObject({
    join: joinParameters.exactOptional().describe("join_conference's parameters under every rule's own."),
    recording_notice: announcement
      .exactOptional()
      .describe("What callers hear before a room that is recorded, unless the rule has a notice of its own."),
    ...speech,
  })
    .exactOptional()
    .describe("What holds for every rule that does not say otherwise."),
  rules: z.array(rule).max(RULES).describe("The rules in order: the first that matches decides."),
  fallback: actionSchema
    .exactOptional()
    .describe("What happens where no rule matches. Unless written, the call is rejected."),
});

export type Ruleset = z.infer<typeof rulesetSchema>;

export type ListValues = z.infer<typeof listInKv>;
/** Lists by name, written out or in KV. */
export type ListTexts = NonNullable<Ruleset["lists"]>;

/** The names under which KV has lists of the ruleset's, each once. */
export function kvListsOf({ lists = {} }: Pick<Ruleset, "lists">): string[] {
  return [...new Set(Object.values(lists).flatMap((list) => (Array.isArray(list) ? [] : [list.kv])))];
}

/** The lists' values; of one in KV that is not given there are none. */
export function listValues(
  lists: ListTexts = {},
  inKv: ReadonlyMap<string, ListValues> = new Map(),
): Record<string, ListValues> {
  return Object.fromEntries(
    Object.entries(lists).map(([name, list]) => [
      name,
      Array.isArray(list) ? list : (inKv.get(list.kv) ?? []),
    ]),
  );
}

export interface ParseOptions {
  /** Whose rules they are; without it a room's name leaves space for the shortest tenant's prefix alone. */
  tenant?: string;
  /** Whether the tenant's conferences carry no prefix. Default: false. */
  plain?: boolean;
  /**
   * Whether it is read to decide calls by. Rules that can take longer than a decision may are refused where they are written,
   * and nowhere else: those that serve go on serving. Default: false.
   */
  serving?: boolean;
  /** What the file has at a path, where it is YAML: what was meant by a number is seen in how it is written. */
  written?: Written;
}
