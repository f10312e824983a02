import * as z from "zod";
import { scopes } from "./api/scopes.ts";
import { isTenantId } from "./conference.ts";
import { isDialPattern } from "./dial-permission.ts";
import { isCountry } from "./numbering.ts";
import { addressPattern } from "./rules/address.ts";
import type { Written } from "./rules/schema/advice.ts";
import { type Path, type Problem, placesOf, problem, problemsOf } from "./rules/schema/problems.ts";
import { actionSchema } from "./rules/schema/ruleset.ts";
import { strictObject } from "./rules/schema/strict-object.ts";

/** A number of milliseconds since the epoch, or an ISO 8601 date and time with its offset. */
const instant = z.union([
  z.number().int().nonnegative(),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);

const tenantId = z.string().refine(isTenantId, "a tenant id is 1 to 24 of a-z, 0-9 and -");

/** SignalWire lets a context have any name; ours are kept to what a log line and a frame can hold. */
const contextName = z
  .string()
  .regex(
    /^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/,
    "a context's name is 1 to 128 characters of printable ASCII",
  );

/** Where Cloudflare can be told to keep a session, and nowhere else. */
export const jurisdictions = ["eu", "fedramp", "us"] as const;

/** Contexts of one project. */
const MAX_CONTEXTS = 100;

const url = (protocols: RegExp) => z.url({ protocol: protocols });

/** KV `project/<project_id>`. `credentials` and `signing_keys` are sealed by `npx partyline seal`. */
export const projectRecord = strictObject({
  /** `example` or `example.signalwire.com`; for a stand-in on loopback its origin. */
  space: z
    .string()
    .regex(/^(https?:\/\/)?[a-z0-9.:-]+$/i, "must be the space's name or host, e.g. example.signalwire.com"),
  relay_url: url(/^wss?$/).optional(),
  rest_url: url(/^https?$/).optional(),
  credentials: z.string().min(1),
  /** Two while a key is rotated. */
  signing_keys: z.array(z.string().min(1)).min(1).max(2),
  /** Cloudflare Access in front of the API: the team's name, and the application's audience tag. */
  access: strictObject({
    team: z.string().regex(/^[a-z0-9-]{1,63}$/, "the team's name: what stands before .cloudflareaccess.com"),
    aud: z.string().regex(/^[0-9a-f]{64}$/, "the application's audience tag: 64 hex digits"),
  }).optional(),
  /** RELAY contexts whose calls are taken, each with the tenant who decides on them. */
  contexts: z
    .record(contextName, tenantId)
    .refine((contexts) => Object.keys(contexts).length <= MAX_CONTEXTS, `at most ${MAX_CONTEXTS} contexts`)
    .default({}),
  /** The one tenant of the project whose conferences carry no prefix; null: there is none. Absent: names stay as they are. */
  plain_names_for: tenantId.nullable().optional(),
  session: strictObject({
    /** Without work for so long the connection is closed, and costs nothing. */
    idle_disconnect_s: z.number().int().min(1).max(86_400).default(300),
    /** Whether it stays open without work, too, once something has opened it. */
    stay_up: z.boolean().default(false),
    /** How long placements, events and journal are kept. */
    keep_days: z.number().int().min(1).max(90).default(7),
    /** How long recordings are kept, whatever becomes of the rest. */
    keep_recordings_days: z.number().int().min(1).max(3_650).default(90),
    /** How long a participant in doubt keeps the seat where nothing tells whether they left. */
    seat_doubt_s: z.number().int().min(60).max(86_400).default(1_800),
    /** Calls that may be made a second; SignalWire takes one unless it raised that for the space. */
    dials_per_s: z.number().min(0.1).max(100).default(1),
    location_hint: z.enum(["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"]).optional(),
    /** Where the session runs and keeps what it knows. Under another value there is another session, which knows nothing. */
    jurisdiction: z.enum(jurisdictions).optional(),
  }).default({
    idle_disconnect_s: 300,
    stay_up: false,
    keep_days: 7,
    keep_recordings_days: 90,
    seat_doubt_s: 1_800,
    dials_per_s: 1,
  }),
});

export type ProjectRecord = z.infer<typeof projectRecord>;

const addresses = z
  .array(
    z
      .string()
      .regex(
        addressPattern,
        "must be an E.164 number such as +15550100100, a prefix such as +1555*, or sip:*@host",
      ),
  )
  .max(10_000);

const dialPattern = z
  .string()
  .max(1_024)
  .refine(
    isDialPattern,
    "must be an E.164 number such as +15550100100, a prefix such as +1555*, or sip:*@host, with :port and ;parameters where a SIP URI may have them",
  );

/** Whom a tenant may have called, and how. Without it there are no outbound calls. */
const dialing = strictObject({
  /**
   * Destinations: numbers, prefixes, SIP addresses. What is not in it is not called, a port or a parameter that it does not name
   * included. Keys are sent only behind one that says so.
   */
  allow: z
    .array(z.union([dialPattern, z.strictObject({ to: dialPattern, send_digits: z.literal(true) })]))
    .min(1)
    .max(10_000),
  /** The numbers, or SIP addresses, that calls may come from; the first unless the request names one. */
  from: addresses.min(1),
  /** Calls that may ring at once. */
  max_concurrent: z.number().int().min(1).max(100).default(10),
  max_duration_s: z.number().int().min(60).max(86_400).optional(),
  max_price_per_minute: z.number().min(0).optional(),
});

/** What people may do who come by Cloudflare Access. */
const accessByMail = z
  .record(
    z
      .string()
      .regex(/^(\*|[^\s@*]{1,64})@[a-z0-9.-]{1,253}$/, "a mail address in lower case, or *@example.com"),
    z.array(z.enum(scopes)).min(1),
  )
  .refine((mails) => Object.keys(mails).length <= 1_000, "at most 1000 mail addresses");

/** KV `tenant/<tenant>`. */
export const tenantRecord = strictObject({
  project_id: z.string().min(1).max(100),
  public_url: url(/^https?$/).optional(),
  /** What follows `#` in the URL pasted at SignalWire, e.g. `rt=8000`. */
  url_fragment: z
    .string()
    .regex(/^[a-z0-9=&]+$/i, "must be the fragment without its #, e.g. rt=8000")
    .optional(),
  join_via: z.enum(["relay", "document"]).default("relay"),
  join_deadline_ms: z.number().int().min(200).max(3000).default(2000),
  /** Until then (24 h ahead at most) unauthentic webhooks are served by document alone and reported in the log. */
  report_until: instant.optional(),
  /** Wrong PINs that are too many, and how long nothing more is taken then; each further time is twice as long. */
  pin_limits: strictObject({
    tries_per_caller: z.int().min(1).max(100).default(5),
    /** Of all callers together: a caller's number can be forged. */
    tries_per_number: z.int().min(1).max(1000).default(50),
    window_s: z.int().min(60).max(86_400).default(900),
    caller_block_s: z.int().min(60).max(86_400).default(900),
    number_block_s: z.int().min(10).max(3_600).default(300),
  }).prefault({}),
  /** Where numbers without a plus are written; absent: only those of North America are read. */
  country: z.string().refine(isCountry, "must be a country as ISO 3166 writes it, such as DE").optional(),
  /** Hosts whose SIP users are numbers where they call, too: anybody else can write a number before an @. */
  sip_gateways: z
    .array(
      z
        .string()
        .regex(
          /^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])$/,
          "must be a host such as gateway.example.com, without a port",
        ),
    )
    .max(100)
    .optional(),
  /** What happens where no rule matches. */
  fallback: actionSchema.optional(),
  dial: dialing.optional(),
  /** By mail address; one of its own counts before `*@` its domain. */
  access: accessByMail.optional(),
});

export type TenantRecord = z.infer<typeof tenantRecord>;

/** The records of KV, by what their keys begin with. */
export const recordSchemas = { project: projectRecord, tenant: tenantRecord } as const;

export type RecordKind = keyof typeof recordSchemas;

export type ReadRecord<R> =
  /** `unknown` are the keys that were left out. */
  { ok: true; record: R; unknown: Problem[] } | { ok: false; problems: Problem[] };

/** An object in an object may hide what is wrong beside it: a record nests no deeper than this many times. */
const ROUNDS = 8;

/** Everything that is wrong with a record, for where it is written: unknown keys, too. */
export function recordProblems(kind: RecordKind, text: string): Problem[] {
  const json = jsonOf(text);
  return json === undefined ? [problem([], "is not JSON")] : problemsIn(kind, json);
}

/** Likewise of a record that was read from JSON or YAML. */
export function problemsIn(kind: RecordKind, value: unknown, written?: Written): Problem[] {
  if (value === null) return [problem([], "is empty")];
  const parsed = recordSchemas[kind].safeParse(value);
  return parsed.success ? [] : problemsOf(parsed.error.issues, value, written);
}

/** A record as calls are served by it: an unknown key is left out, and harms no call. */
export function readRecord<S extends z.ZodType>(schema: S, text: string): ReadRecord<z.infer<S>> {
  const json = jsonOf(text);
  if (json === undefined) return { ok: false, problems: [problem([], "is not JSON")] };
  const unknown: Problem[] = [];
  for (let round = 0; ; round += 1) {
    const parsed = schema.safeParse(json);
    if (parsed.success) return { ok: true, record: parsed.data, unknown };
    const paths = placesOf(parsed.error.issues, json).flatMap(({ path, isUnknownKey }) =>
      isUnknownKey ? [path] : [],
    );
    const problems = problemsOf(parsed.error.issues, json);
    if (paths.length === 0 || round === ROUNDS) return { ok: false, problems };
    unknown.push(...problems.filter(({ path }) => paths.some((one) => problem(one, "").path === path)));
    for (const path of paths) remove(json, path);
  }
}

/** Undefined where the text is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function remove(json: unknown, path: Path): void {
  let holder = json;
  for (const step of path.slice(0, -1)) holder = (holder as Record<PropertyKey, unknown>)[step]; // As Zod walked it.
  const key = path.at(-1);
  if (key !== undefined) Reflect.deleteProperty(holder as object, key);
}
