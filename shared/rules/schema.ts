import { z } from "zod";
import { joinParameters, webUrl } from "../conference.ts";
import { addressPattern } from "./address.ts";
import { exactlyOne, strictObject } from "./strict-object.ts";
import { templateProblem } from "./template.ts";

/** A ruleset's text has at most so many characters; read as an object, its keys and texts together. */
export const RULESET_LENGTH = 4 * 1024 * 1024;
export const RULES = 20_000;
/** Values in one list, or written out in one match. */
export const VALUES = 20_000;
const TEMPLATE_LENGTH = 256;
const SAY_LENGTH = 2_000;
const TEXT_LENGTH = 512;

export const ADDRESS_MESSAGE =
  'must be an E.164 number such as "+15550100100", a prefix such as "+1555*", or a SIP URI such as "sip:*@example.com"';

/** Text with placeholders. */
const template = (length: number) =>
  z
    .string()
    .min(1)
    .max(length)
    .check(({ value, issues }) => {
      const problem = templateProblem(value);
      if (problem === null) return;
      const { message, suggestion } = problem;
      issues.push({
        code: "custom",
        message,
        params: suggestion === undefined ? {} : { suggestion },
        input: value,
      });
    });

const word = (what: string, pattern: RegExp, form: string) => z.string().regex(pattern, `${what} is ${form}`);

const listName = word(
  "a list's name",
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  "1 to 64 letters, digits, - and _, the first a letter or digit",
);

const fromList = strictObject({ list: listName.describe("The name of a list in `lists`.") });

/** One value, several of which any will do, or a list by name. */
function anyOf<Value extends z.ZodType<string>>(value: Value, values = z.array(value).min(1).max(VALUES)) {
  return z.union([value, values, fromList], {
    error: 'must be text, a list of texts, or { "list": "name" }',
  });
}

const address = anyOf(z.string().max(512).regex(addressPattern, ADDRESS_MESSAGE));
const text = anyOf(z.string().min(1).max(TEXT_LENGTH));

/** The words that a call's direction and type can be. */
export const directions = ["inbound", "outbound"] as const;
export const callTypes = ["phone", "sip", "webrtc"] as const;

const match = strictObject({
  to: address.exactOptional().describe("The number or SIP URI that was called."),
  from: address.exactOptional().describe("The number or SIP URI that calls."),
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
    .describe("SIP headers by name, in any case. A header sent several times matches by any of its values."),
  params: z
    .record(z.string().min(1).max(128), text)
    .exactOptional()
    .describe("Parameters that a `transfer` or `execute` passed, by name; numbers are compared as text."),
});

const spoken = {
  language: z
    .string()
    .regex(/^[A-Za-z0-9-]{2,35}$/, "must be a language tag such as en-US")
    .exactOptional()
    .describe("The language in which it is said, e.g. en-US."),
  voice: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,128}$/, "must be the name of a voice such as gcloud.en-US-Neural2-A")
    .exactOptional()
    .describe("The voice that says it."),
};

const sayLine = template(SAY_LENGTH).describe(
  "Words to speak. May hold the placeholders that a room's name may.",
);
const playFile = webUrl
  .regex(/^https:/, "must start with https://: SignalWire plays nothing else")
  .describe("The https URL of a sound file to play in place of words.");

const announcement = z.union(
  [
    template(SAY_LENGTH),
    strictObject({ say: sayLine.exactOptional(), play: playFile.exactOptional(), ...spoken }).check(
      (context) => exactlyOne(context, ["say", "play"]),
    ),
  ],
  { error: 'must be text to say, { "say": … } or { "play": … }' },
);

const roles = ["moderator", "participant", "listener"] as const;

const place = strictObject({
  room: template(TEMPLATE_LENGTH).describe(
    "The room's name. May hold {to}, {from}, {call_id}, {header.x-room}, {param.room}. With the tenant's prefix at most 64 characters.",
  ),
  role: z
    .enum(roles)
    .exactOptional()
    .describe(
      "moderator: the room starts with them. participant (unless written): waits where a rule places a moderator in the room. listener: muted.",
    ),
  announce: announcement
    .exactOptional()
    .describe("What the caller hears before the room: words, or { play }."),
  join: joinParameters
    .exactOptional()
    .describe("join_conference's parameters; they override the role's and the defaults."),
});

const reject = strictObject({
  say: sayLine.exactOptional(),
  play: playFile.exactOptional(),
  ...spoken,
  reason: z
    .enum(["busy", "decline", "hangup"])
    .exactOptional()
    .describe("How the call is refused. busy and decline leave it unanswered, so nothing can be said."),
}).check((context) => {
  const { say, play, reason } = context.value;
  if (say !== undefined && play !== undefined) exactlyOne(context, ["say", "play"]);
  const heard = say !== undefined || play !== undefined;
  if (!heard && reason === undefined) {
    context.issues.push({
      code: "custom",
      message: "needs something to say or play, or a reason",
      input: context.value,
    });
  }
  if (heard && (reason === "busy" || reason === "decline")) {
    const message = `${reason} refuses the call unanswered, so nothing can be said: leave out the line or the reason`;
    context.issues.push({ code: "custom", message, path: ["reason"], input: context.value });
  }
});

const handOver = strictObject({
  swml: webUrl.exactOptional().describe("The URL of the SWML document that takes the call over."),
  cxml: webUrl
    .exactOptional()
    .describe("The URL of the cXML document that takes over a call that came by cXML."),
}).check((context) => {
  if (context.value.swml !== undefined || context.value.cxml !== undefined) return;
  context.issues.push({
    code: "custom",
    message: 'needs a URL: "swml", "cxml" or both',
    input: context.value,
  });
});

const actions = {
  place: place.exactOptional().describe("Puts the caller into a room."),
  reject: reject.exactOptional().describe("Turns the caller away, with a line or a reason."),
  hand_over: handOver.exactOptional().describe("Gives the call to a document of your own."),
};

const actionNames = ["place", "reject", "hand_over"] as const;

/** What is done with a call: exactly one of the three. Also a tenant record's `fallback`. */
export const actionSchema = strictObject(actions).check((context) => exactlyOne(context, actionNames));

const rule = strictObject({
  id: word(
    "a rule's id",
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "1 to 64 letters, digits, ., - and _, the first a letter or digit",
  )
    .refine((id) => id !== "fallback", '"fallback" is what the fallback is called: choose another id')
    .describe("A name for the rule, its own in the ruleset; decisions and logs name it."),
  match: match.describe("What a call must be, all of it. {} is every call."),
  ...actions,
}).check((context) => exactlyOne(context, actionNames));

/** The language of rulesets, as far as it works. Every key explains itself, and so does the JSON Schema made from this. */
export const rulesetSchema = strictObject({
  timezone: z
    .string()
    .max(64)
    .refine(isTimezone, "must be a time zone of the IANA database such as America/New_York")
    .exactOptional()
    .describe("The IANA time zone that times are meant in, e.g. America/New_York."),
  lists: z
    .record(listName, z.array(z.string().min(1).max(TEXT_LENGTH)).max(VALUES))
    .exactOptional()
    .describe("Values by name, for { list } in a match."),
  defaults: strictObject({
    join: joinParameters.exactOptional().describe("join_conference's parameters under every rule's own."),
  })
    .exactOptional()
    .describe("What holds for every rule that does not say otherwise."),
  rules: z.array(rule).max(RULES).describe("The rules in order: the first that matches decides."),
  fallback: actionSchema
    .exactOptional()
    .describe("What happens where no rule matches. Unless written, the call is rejected."),
});

export type Ruleset = z.infer<typeof rulesetSchema>;
export type Rule = z.infer<typeof rule>;
export type Match = z.infer<typeof match>;
export type ActionText = z.infer<typeof actionSchema>;
export type Role = (typeof roles)[number];
/** A field's wanted value, values or list, as written. */
export type Wanted = z.infer<typeof text>;

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    // An offset such as +01:00 is taken too, and knows no daylight-saving time.
    return /^[A-Z]/i.test(name);
  } catch {
    return false;
  }
}
