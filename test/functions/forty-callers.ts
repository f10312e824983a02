import type { Random } from "../chaos/random.ts";

/** What one caller does, and what must come of it however the number is set up. */
export interface Script {
  /** Whom the rules know the caller as. */
  part: Part;
  /** Which of those with this part, from 0. */
  nth: number;
  from: string;
  to: string;
  type: "phone" | "sip";
  /** What is keyed, each time these words are heard. */
  keys: readonly { hears: string; press: string }[];
  /** Who hangs up when these words are heard. */
  hang_up?: { on: string; who: Part };
  expected: {
    room: string | null;
    /** Every word that is heard, in order. */
    says: readonly string[];
    /** It hangs up itself, or the last words are said; else it stays in the room. */
    ends: boolean;
  };
  /** What the room knows of the participant, where it is not the usual. */
  flags: { muted?: true; coaches?: Part; starts_nothing?: true };
}

/** Parts whose callers come one after the other, because it matters who was there before. */
export const inOrder: readonly Part[][] = [["support"], ["agent", "coach"], ["holder", "waiter"]];

const numbers = {
  main: "+15550100100",
  standup: "+15550100110",
  hall: "+15550100120",
  audience: "+15550100121",
  desk: "+15550100130",
  closed: "+15550100140",
  busy: "+15550100141",
  night: "+15550100150",
  adviser: "+15550100180",
  unused: "+15550100160",
  bridge: "+15550100190",
  sip: "sip:reception@desks.example.com",
};

const pins = { chair: "4711", member: "81555" };
const seats = { capacity: 3, rooms: 3 };

const words = {
  vip: "One moment, we connect you to your own team.",
  full: "All seats are taken.",
  hall: "Welcome to the town hall.",
  // What is interrupted by a key is long, so that the key never comes too late.
  pin: "Please enter the PIN of your conference on the keypad of your telephone, then press the pound key.",
  wrong:
    "We do not know that PIN. Please look at the letter that we have sent you, and then enter it once more.",
  goodbye: "Please ask for your PIN.",
  line: "Somebody will be with you in a moment.",
  closed: "We are closed.",
  unused: "This number is not in use.",
};

const parts = {
  vip: 2,
  support: 10,
  chair: 1,
  standup: 3,
  speaker: 1,
  listener: 3,
  agent: 1,
  coach: 1,
  holder: 1,
  waiter: 1,
  sip: 2,
  pin_chair: 1,
  pin_member: 3,
  pin_second_try: 2,
  pin_unknown: 1,
  pin_given_up: 1,
  closed: 2,
  busy: 1,
  night: 2,
  unused: 1,
} as const;

export type Part = keyof typeof parts;

/** The same seed, the same forty. */
export function castOf(random: Random): Script[] {
  const callers = random.shuffled(Array.from({ length: 99 }, (_, nth) => nth));
  const roles = Object.entries(parts) as [Part, number][]; // The record's own keys.
  return random.shuffled(
    roles.flatMap(([part, count]) =>
      Array.from({ length: count }, (_, nth) => scriptOf(part, nth, callers.pop() ?? 0, random)),
    ),
  );
}

/** The rules that give the callers their parts; `hmac` is how a PIN stands in a tenant's ruleset. */
export async function rulesFor(
  cast: readonly Script[],
  urls: { swml: string; cxml: string },
  hmac: (digits: string) => Promise<string>,
): Promise<Record<string, unknown>> {
  const those = (part: Part) => cast.filter((script) => script.part === part).map(({ from }) => from);
  return {
    timezone: "America/New_York",
    lists: { vips: those("vip"), chairs: those("chair"), members: [{ hmac: await hmac(pins.member) }] },
    roles: { agent: { end_on_exit: true } },
    schedules: { always: { open: ["mon-sun 00:00-24:00"] } },
    rules: [
      { id: "never", match: { outside: "always" }, reject: { say: "Nobody hears this." } },
      {
        id: "vip",
        match: { to: numbers.main, from: { list: "vips" } },
        place: { room: "vip-{from}", announce: words.vip },
      },
      {
        id: "support",
        match: { to: numbers.main, during: "always", when: "call.direction == 'inbound'" },
        place: {
          room: "support",
          capacity: seats.capacity,
          // biome-ignore lint/suspicious/noThenProperty: the language's word; nobody awaits a ruleset.
          overflow: { then: "next", rooms: seats.rooms, say: words.full },
        },
      },
      {
        id: "chair",
        match: { to: numbers.standup, from: { list: "chairs" } },
        place: { room: "standup", role: "moderator" },
      },
      { id: "standup", match: { to: numbers.standup }, place: { room: "standup" } },
      { id: "hall", match: { to: numbers.hall }, place: { room: "hall", announce: words.hall } },
      { id: "audience", match: { to: numbers.audience }, place: { room: "hall", role: "listener" } },
      {
        id: "agent",
        match: { to: numbers.desk, from: those("agent") },
        place: { room: "desk", role: "agent" },
      },
      {
        id: "coach",
        match: { to: numbers.desk },
        place: {
          room: "desk",
          role: "coach",
          coach: { role: "agent", if_absent: { reject: { say: "Nobody to coach." } } },
        },
      },
      {
        id: "adviser",
        match: { to: numbers.adviser },
        place: {
          room: "adviser",
          capacity: 1,
          // biome-ignore lint/suspicious/noThenProperty: the language's word; nobody awaits a ruleset.
          overflow: { then: "wait" },
          wait: { announce: words.line, music: "https://music.example.com/wait.mp3" },
        },
      },
      { id: "sip", match: { type: "sip", to: "sip:*@desks.example.com" }, place: { room: "reception" } },
      {
        id: "bridge",
        match: { to: numbers.bridge },
        ask: {
          pin: { say: words.pin, digits: "4-8", secret: true, wrong: words.wrong, goodbye: words.goodbye },
        },
        rules: [
          {
            id: "pin-chair",
            match: { "answer.pin": { hmac: await hmac(pins.chair) } },
            place: { room: "board", role: "moderator" },
          },
          { id: "pin-member", match: { "answer.pin": { list: "members" } }, place: { room: "board" } },
        ],
      },
      { id: "closed", match: { to: numbers.closed }, reject: { say: words.closed } },
      { id: "busy", match: { to: numbers.busy }, reject: { reason: "busy" } },
      { id: "night", match: { to: numbers.night }, hand_over: urls },
    ],
    fallback: { reject: { say: words.unused } },
  };
}

/** What the tenant's own document says where calls are handed over to. */
export const voicemail = "Please leave a message after the tone.";

function scriptOf(part: Part, nth: number, caller: number, random: Random): Script {
  const from = `+155501002${String(caller).padStart(2, "0")}`;
  const made = (
    to: string,
    room: string | null,
    more: Partial<Omit<Script, "expected">> & { says?: string[] } = {},
  ): Script => {
    const { says = [], ...rest } = more;
    const expected = { room, says, ends: room === null || part === "holder" };
    return { part, nth, from, to, type: "phone", keys: [], flags: {}, expected, ...rest };
  };
  const keyed = (pressed: readonly string[], room: string | null, more: Partial<Script> = {}) =>
    made(numbers.bridge, room, {
      ...more,
      keys: pressed.map((digits, time) => ({
        hears: time === 0 ? words.pin : words.wrong,
        press: `${digits}#`,
      })),
      says: [
        words.pin,
        ...pressed.slice(1).map(() => words.wrong),
        ...(room === null ? [words.goodbye] : []),
      ],
    });
  const wrong = () => `9${random.between(1000, 9999)}`;
  const waits = { flags: { starts_nothing: true } } as const;
  switch (part) {
    case "vip":
      return made(numbers.main, `vip-${from}`, { says: [words.vip] });
    case "support": {
      const room = Math.floor(nth / seats.capacity);
      if (room >= seats.rooms) return made(numbers.main, null, { says: [words.full] });
      return made(numbers.main, room === 0 ? "support" : `support-${room + 1}`);
    }
    case "chair":
      return made(numbers.standup, "standup");
    case "standup":
      return made(numbers.standup, "standup", waits);
    case "speaker":
      return made(numbers.hall, "hall", { says: [words.hall] });
    case "listener":
      return made(numbers.audience, "hall", { flags: { muted: true } });
    case "agent":
      return made(numbers.desk, "desk");
    case "coach":
      return made(numbers.desk, "desk", { flags: { coaches: "agent", starts_nothing: true } });
    case "holder":
      return made(numbers.adviser, "adviser");
    case "waiter":
      return made(numbers.adviser, "adviser", {
        hang_up: { on: words.line, who: "holder" },
        says: [words.line],
      });
    case "sip":
      return { ...made(numbers.sip, "reception"), from: `sip:user${caller}@branch.example.com`, type: "sip" };
    case "pin_chair":
      return keyed([pins.chair], "board");
    case "pin_member":
      return keyed([pins.member], "board", waits);
    case "pin_second_try":
      return keyed([wrong(), pins.member], "board", waits);
    case "pin_unknown":
      return keyed([wrong(), wrong(), wrong()], null);
    case "pin_given_up":
      return made(numbers.bridge, null, { hang_up: { on: words.pin, who: part }, says: [words.pin] });
    case "closed":
      return made(numbers.closed, null, { says: [words.closed] });
    case "busy":
      return made(numbers.busy, null);
    case "night":
      return made(numbers.night, null, { says: [voicemail] });
    case "unused":
      return made(numbers.unused, null, { says: [words.unused] });
    default:
      return part satisfies never;
  }
}
