import * as z from "zod";

const actionSchema = z.discriminatedUnion("kind", [
  /** The TCP connection is cut. */
  z.strictObject({ kind: z.literal("drop_socket") }),
  z.strictObject({ kind: z.literal("delay"), ms: z.number().int().min(0).max(600_000) }),
  /** Connections and webhooks: refused. Credentials: AUTH_REQUIRED. Commands: 409. REST: 403. */
  z.strictObject({ kind: z.literal("refuse") }),
  /** Not executed; answered with this code (over HTTP: this status). */
  z.strictObject({
    kind: z.literal("code"),
    code: z.string().regex(/^\d{3}$/),
    message: z.string().optional(),
  }),
  /** Not executed; answered with this JSON-RPC error (over HTTP: status 500). */
  z.strictObject({ kind: z.literal("error"), code: z.number().int(), message: z.string().optional() }),
  /** A command's or REST's: answered as done at once, and executed so much later, by the wall's clock; without `ms`, never. */
  z.strictObject({ kind: z.literal("late"), ms: z.number().int().min(1).max(600_000).optional() }),
  /** Executed, not answered. */
  z.strictObject({ kind: z.literal("swallow") }),
  /** Neither executed nor answered. */
  z.strictObject({ kind: z.literal("ignore") }),
  /** Sent twice; an event's copy has an id of its own. */
  z.strictObject({ kind: z.literal("duplicate") }),
  /** Held back until the next one of its sort was sent, a frame for two seconds at most: late, and not lost. */
  z.strictObject({ kind: z.literal("reorder") }),
  /** Not sent. */
  z.strictObject({ kind: z.literal("lose") }),
  /** For `ms` nothing is read, executed or answered, pings neither. */
  z.strictObject({ kind: z.literal("go_silent"), ms: z.number().int().min(1).max(600_000) }),
  /** The socket is closed instead: a command is not executed, a frame not sent. */
  z.strictObject({ kind: z.literal("close_before") }),
  /** A command is executed and the socket closed without an answer; a frame is sent, then the socket closed. */
  z.strictObject({ kind: z.literal("close_after") }),
  /** REST's alone, and only on a GET of a list of conferences or participants: spoilt as `rest_list_pages` has it. */
  z.strictObject({ kind: z.literal("list"), as: z.enum(["empty", "cut", "repeated"]) }),
]);

const faultPoints = [
  "connect",
  "authenticate",
  "command",
  "answer",
  "event",
  "webhook",
  "rest",
  "status_callback",
  /** A status callback as a whole: `lose` loses it for good, every try. */
  "callback",
] as const;

export type FaultPoint = (typeof faultPoints)[number];

const restResources = [
  "conferences",
  "participants",
  "calls",
  "commands",
  "call_recordings",
  "voice_logs",
  "conference_logs",
  "recordings",
] as const;

export type RestResource = (typeof restResources)[number];

const faultFields = z.strictObject({
  at: z.enum(faultPoints),
  /** Every field given must be equal. `method` is also that of the command which an answer answers. */
  match: z
    .strictObject({
      method: z.string(),
      event_type: z.string(),
      /** Of a conference event, or a call's state. */
      status: z.string(),
      call_id: z.string(),
      to: z.string(),
      /** Of a REST request. */
      resource: z.enum(restResources),
      /** A field of its form, such as `Muted`, or the command of its body: one control alone. */
      field: z.string(),
    })
    .partial()
    .optional(),
  /** The first `skip` matches pass. */
  skip: z.number().int().min(0).default(0),
  /** Fires so often, then never again; without it, each time. */
  times: z.number().int().min(1).optional(),
  probability: z.number().min(0).max(1).default(1),
  do: actionSchema,
});

export const faultSchema = faultFields
  .refine((fault) => fault.do.kind !== "list" || fault.at === "rest", {
    error: 'only REST has lists: `do.kind` "list" goes with `at` "rest"',
  })
  .refine((fault) => fault.do.kind !== "late" || fault.at === "rest" || fault.at === "command", {
    error: '`do.kind` "late" goes with `at` "rest" or "command"',
  });

export type Fault = z.infer<typeof faultSchema>;
export type RestFaultAction = z.infer<typeof actionSchema>;
export type FaultAction = Exclude<RestFaultAction, { kind: "list" }>;
/** What is known of the moment at which a fault may fire. */
export type FaultFacts = Omit<NonNullable<Fault["match"]>, "field"> & { readonly fields?: readonly string[] };

/** The faults of a project, in order: the first that matches, and is due, fires. */
export class Faults {
  #script: { fault: Fault; seen: number; fired: number }[] = [];
  #random: () => number;
  readonly #note: (entry: Record<string, unknown>) => void;

  constructor(seed: number, note: (entry: Record<string, unknown>) => void) {
    this.#random = seeded(seed);
    this.#note = note;
  }

  reseed(seed: number): void {
    this.#random = seeded(seed);
  }

  /** Replaces the script; counts begin anew. */
  script(faults: readonly Fault[]): void {
    this.#script = faults.map((fault) => ({ fault, seen: 0, fired: 0 }));
  }

  fire(at: Exclude<FaultPoint, "rest">, facts: FaultFacts): FaultAction | null {
    const action = this.#due(at, facts, () => true);
    return action?.kind === "list" ? null : action;
  }

  /** `is_list`: the request is for a list of conferences or participants. */
  fireAtRest(facts: FaultFacts, is_list: boolean): RestFaultAction | null {
    return this.#due("rest", facts, (action) => is_list || action.kind !== "list");
  }

  #due(
    at: FaultPoint,
    facts: FaultFacts,
    applies: (action: RestFaultAction) => boolean,
  ): RestFaultAction | null {
    for (const line of this.#script) {
      const { fault } = line;
      if (fault.at !== at || !fits(fault.match, facts) || !applies(fault.do)) continue;
      line.seen += 1;
      if (line.seen <= fault.skip || (fault.times !== undefined && line.fired >= fault.times)) continue;
      if (fault.probability < 1 && this.#random() >= fault.probability) continue;
      line.fired += 1;
      this.#note({ at_point: at, facts, do: fault.do });
      return fault.do;
    }
    return null;
  }
}

function fits(match: Fault["match"], facts: FaultFacts): boolean {
  if (match === undefined) return true;
  const known = new Map<string, unknown>(Object.entries(facts));
  const { field, ...others } = match;
  if (field !== undefined && facts.fields?.includes(field) !== true) return false;
  return Object.entries(others).every(([key, value]) => value === undefined || known.get(key) === value);
}

/** Mulberry32: small, and the same everywhere for one seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
