import * as z from "zod";
import { holdsExpansion } from "./documents/expansion.ts";
import { strictObject } from "./rules/schema/strict-object.ts";

/** REST filters conferences by no more than this many characters of their names. */
export const WIRE_NAME_LENGTH = 64;

const TENANT_ID = /^[a-z0-9-]{1,24}$/;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** A join goes into documents too, where SignalWire would run what stands in `${…}` or `%{…}`. */
const inert = <Text extends z.ZodString>(text: Text) =>
  text.refine(
    (value) => !holdsExpansion(value),
    "may not hold ${ or %{: SignalWire would run what follows as code",
  );

const plainText = (length: number) => inert(z.string().min(1).max(length));

/**
 * A URL of at most 2048 characters, free of spaces and expansion marks. Parsed where it is written: one that fails only when it is
 * called fails unseen, and its error may show its password.
 */
function url(pattern: RegExp, message: string) {
  return plainText(2048)
    .regex(pattern, { message, abort: true })
    .refine(
      URL.canParse,
      "can't be read as a URL: look at its host and port, and write @, [ and ] in a name or password as %40, %5B and %5D",
    );
}

/** An absolute http or https URL. */
export const webUrl = url(/^https?:\/\/[^\s/?#]+\S*$/, "must be a whole URL that starts with https://");

/**
 * The join with SignalWire's own limit in it, for where our count may miss somebody: a seat that was released without evidence, or
 * a join that was not counted. The smallest limit that SignalWire takes is 2.
 */
export function withLimit(join: JoinParameters, capacity: number): JoinParameters {
  return { ...join, max_participants: Math.max(2, Math.min(capacity, join.max_participants ?? capacity)) };
}

/**
 * The join without what would end the conference for all: for a document that joins while RELAY's join of the same call may stand,
 * since to take that one out would count as leaving.
 */
export function withoutEnd({ end_on_exit: _, ...join }: JoinParameters): JoinParameters {
  return join;
}

/** Words of a set, one space between; SignalWire's lists of events are written so. */
function words(...allowed: [string, ...string[]]) {
  const word = `(?:${allowed.join("|")})`;
  return z
    .string()
    .max(200)
    .regex(
      new RegExp(`^${word}(?: ${word})*$`),
      `must be words from ${allowed.join(", ")}, with one space between`,
    );
}

const eventType = z.enum(["relay", "cxml", "laml"]);
const method = z.enum(["GET", "POST"]);

const stream = strictObject({
  url: url(/^wss:\/\/[^\s/?#]+\S*$/, "must be a whole URL that starts with wss://").describe(
    "Where the audio is sent: a wss:// URL.",
  ),
  name: plainText(256).exactOptional().describe("A name for the stream."),
  codec: z
    .string()
    .regex(
      /^(?:PCMU|PCMA|G722|L16)(?:@[1-9][0-9]{0,5}[hi]){0,2}$/,
      "must be PCMU, PCMA, G722 or L16, with modifiers if need be: L16@24000h@40i is 24000 Hz, 40 ms",
    )
    .exactOptional()
    .describe("PCMU, PCMA, G722 or L16; `@24000h` sets the rate in Hz, `@40i` the packet's length in ms."),
  status_url: webUrl.exactOptional().describe("A URL that is told of the stream's events."),
  status_url_method: method.exactOptional().describe("How status_url is called. SignalWire's default: POST."),
  realtime: z
    .boolean()
    .exactOptional()
    .describe("true: audio from the stream is heard in the conference. Default: false."),
  authorization_bearer_token: plainText(4096)
    .exactOptional()
    .describe("Sent to the stream's server as its bearer token. A secret: it is never logged."),
  custom_parameters: z
    .record(plainText(256), inert(z.string().max(4096)))
    .exactOptional()
    .describe("Names and texts that are handed to the stream's server when it starts."),
});

/**
 * Everything but the name, as RELAY's `calling.join_conference` and SWML's `join_conference` spell it.
 * The wire type has `acl` and `swml` too, which nothing documents: they are refused like any unknown key.
 * Defaults are SignalWire's and are only told of: what is left out here is left out on the wire.
 */
const parameters = {
  muted: z.boolean().exactOptional().describe("true: joins muted. Default: false."),
  beep: z
    .enum(["true", "false", "onEnter", "onExit"])
    .exactOptional()
    .describe('When a beep is heard; texts, never booleans. Default: "true".'),
  start_on_enter: z
    .boolean()
    .exactOptional()
    .describe("false: waits with music until someone joins for whom it is true. Default: true."),
  end_on_exit: z
    .boolean()
    .exactOptional()
    .describe("true: the conference ends when this one leaves. Default: false."),
  wait_url: webUrl.exactOptional().describe("What someone who waits hears. Default: hold music."),
  max_participants: z
    .int()
    .min(2)
    .max(100_000)
    .exactOptional()
    .describe("How many the conference takes, 2 to 100000. RELAY's guide knows no more than 250."),
  record: z
    .enum(["do-not-record", "record-from-start"])
    .exactOptional()
    .describe("Whether the conference is recorded. Default: do-not-record."),
  region: z.enum(["global", "us", "eu", "ch"]).exactOptional().describe("Where the conference is mixed."),
  trim: z
    .enum(["trim-silence", "do-not-trim"])
    .exactOptional()
    .describe("Whether silence is cut from the recording's ends. Default: trim-silence."),
  coach: plainText(128)
    .regex(/^[\x21-\x7e]+$/, "must be the id of a call")
    .exactOptional()
    .describe("The id of the call in the conference that this one coaches: only that call hears this one."),
  status_callback: webUrl.exactOptional().describe("A URL that is told of the conference's events."),
  status_callback_event: words(
    "start",
    "end",
    "join",
    "leave",
    "mute",
    "hold",
    "modify",
    "speaker",
    "announcement",
  )
    .exactOptional()
    .describe("Which events: words with one space between."),
  status_callback_event_type: eventType
    .exactOptional()
    .describe("relay: the callback is JSON; cxml, laml: a form. Default: relay."),
  status_callback_method: method.exactOptional().describe("Default: POST."),
  recording_status_callback: webUrl.exactOptional().describe("A URL that is told of the recording's events."),
  recording_status_callback_event: words("in-progress", "completed", "absent")
    .exactOptional()
    .describe("Which events: words with one space between."),
  recording_status_callback_event_type: eventType
    .exactOptional()
    .describe("relay: the callback is JSON; cxml, laml: a form."),
  recording_status_callback_method: method.exactOptional().describe("Default: POST."),
  stream: stream.exactOptional().describe("The conference's audio, sent to a WebSocket server."),
};

/** `join_conference`'s parameters without the conference's name. */
export const joinParameters = strictObject(parameters);

export type JoinParameters = z.infer<typeof joinParameters>;

/** `join_conference`'s parameters, `name` being the wire name. */
export const joinConferenceParameters = strictObject({
  name: plainText(WIRE_NAME_LENGTH)
    .regex(PRINTABLE_ASCII, "must be printable ASCII")
    .describe("Calls of one project that join the same name share a conference."),
  ...parameters,
});

/** Why a room's name cannot go onto the wire; reads on from the name: `"…" is empty`. */
export interface NameProblem {
  problem: string;
}

/** Whether the text has the form of a tenant's id. */
export function isTenantId(text: string): boolean {
  return TENANT_ID.test(text);
}

/**
 * A room's name as SignalWire sees it: `<tenant>:<name>`, or the bare name where the project's record allows the tenant plain
 * names. Blanks around the name are no part of it: a document's text loses them, and JSON's does not, so that callers would be
 * in two rooms. Plain names that would read as another tenant's are refused.
 */
export function wireName(tenant: string, named: string, { plain }: { plain: boolean }): string | NameProblem {
  if (!isTenantId(tenant)) return { problem: "has a tenant whose id is not 1 to 24 of a-z, 0-9 and -" };
  const name = named.trim();
  const wire = plain ? name : `${tenant}:${name}`;
  // Length first: what follows then never reads a huge text.
  if (wire.length > WIRE_NAME_LENGTH) {
    const counted = plain ? "" : " with the tenant's prefix";
    return { problem: `is ${wire.length} characters long${counted}, and ${WIRE_NAME_LENGTH} are allowed` };
  }
  if (name === "") return { problem: "is empty" };
  if (!PRINTABLE_ASCII.test(wire)) return { problem: "holds a character that is not printable ASCII" };
  if (holdsExpansion(wire)) return { problem: "holds ${ or %{, which SignalWire would run as code" };
  if (plain && splitWireName(wire).tenant !== null) {
    return { problem: "reads as a tenant's name and a colon, which a plain name may not" };
  }
  return wire;
}

/** A wire name's tenant and room, split at the first colon; `tenant` is null for a plain name. */
export function splitWireName(wire: string): { tenant: string | null; name: string } {
  const colon = wire.indexOf(":");
  const tenant = wire.slice(0, Math.max(colon, 0));
  return isTenantId(tenant) ? { tenant, name: wire.slice(colon + 1) } : { tenant: null, name: wire };
}
