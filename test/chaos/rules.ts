/** The first number of every kind, and what a tenant's rules do with a call to it; the team counts up from there. */
const numbers = {
  team: 15550100130,
  standup: 15550100110,
  chair: 15550100110,
  hall: 15550100120,
  bridge: 15550100170,
  queue: 15550100180,
  closed: 15550100140,
  busy: 15550100141,
  night: 15550100150,
  desk: 15550100160,
  class: 15550100161,
  regular: 15550100162,
} as const;

export type Kind = keyof typeof numbers;

export const roomKinds = ["team", "standup", "hall"] as const;
export const seatKinds = ["desk", "class", "regular"] as const;

/** Who of a tenant's calls which number. */
export const teams = [0, 1, 2] as const;
export type Team = (typeof teams)[number];
export type Teams = readonly [Team, ...Team[]];

/** What a caller hears whom no room has a seat for. */
export const FULL = "All seats are taken.";
/** Of every room that has a capacity, and how many such rooms a rule has. */
export const SEATS = 2;
export const NUMBERED = 3;

/** What a caller hears before a room that is recorded. */
export const NOTICE = "This call is recorded.";

/** What a caller hears for whom nothing more can be done. */
export const APOLOGY = "Your call cannot be connected right now.";
export const QUESTION = "Please key in the PIN of your conference.";
/** What a caller hears after the last wrong PIN. */
export const GOODBYE = "Please ask for your PIN.";
/** The PINs of every tenant, by the room that each is for; nobody's begins with 9. */
export const pins = { bridge: "4711", board: "81555" } as const;

/**
 * What is heard in the line: a piece as long as a file is waited for whose end RELAY can't tell. After a shorter one the caller
 * would hear nothing for the rest of that time.
 */
export const LINE = "https://example.com/line.mp3#seconds=20";

export const chair = "+15550100010";
/** What a team's callers by SIP have a room of their own for. */
export const goldHeader = { name: "X-Tier", value: "gold" } as const;

export function numberOf(kind: Kind, team: Team): string {
  return `+${numbers[kind] + team}`;
}

/** The name that a room has on the wire. */
export function wireRoom(tenant: string, kind: Kind | "board" | "gold", team: Team): string {
  const of = kind === "board" ? "bridge" : kind === "gold" ? "team" : kind;
  return `${tenant}:${kind === "chair" ? "standup" : kind}-${numberOf(of, team)}`;
}

/**
 * The rules of every tenant: a room for each number, two kinds of which are recorded, of these one ends with its moderator, some with a capacity, some
 * behind a PIN, some with a line before them.
 * @param recordings_url told of recordings.
 * @param hmacs as a ruleset has them in place of the PINs.
 */
export function rules(
  voicemail_url: string,
  recordings_url: string,
  hmacs: Record<keyof typeof pins, string>,
): object {
  const to = (kind: Kind) => teams.map((team) => numberOf(kind, team));
  const seats = (kind: (typeof seatKinds)[number] | "queue", overflow: object, more: object = {}) => ({
    id: kind,
    match: { to: kind === "queue" ? to(kind) : numberOf(kind, 0) },
    place: { room: `${kind}-{to}`, capacity: SEATS, overflow: { ...overflow, say: FULL }, ...more },
  });
  const among = (then: "next" | "spread") => ({ then, rooms: NUMBERED });
  // biome-ignore lint/suspicious/noThenProperty: the language's word; nobody awaits a ruleset.
  const line = { then: "wait" };
  const recorded = { record: "record-from-start", recording_status_callback: recordings_url };
  const chaired = {
    room: "standup-{to}",
    role: "moderator",
    join: { end_on_exit: true, ...recorded },
  };
  return {
    lists: { chairs: [chair] },
    defaults: { join: { beep: "onEnter", region: "us" }, recording_notice: NOTICE },
    rules: [
      { id: "chair", match: { to: to("chair"), from: { list: "chairs" } }, place: chaired },
      // A caller from SignalWire's Call Fabric has an address in place of the number.
      {
        id: "chair-by-address",
        match: { to: to("chair"), when: `call.from.endsWith('${chair.slice(1)}')` },
        place: chaired,
      },
      { id: "standup", match: { to: to("standup") }, place: { room: "standup-{to}" } },
      {
        id: "hall",
        match: { to: to("hall") },
        place: { room: "hall-{to}", announce: "Welcome to the hall.", join: recorded },
      },
      { id: "gold", match: { to: to("team"), headers: { "x-tier": "gold" } }, place: { room: "gold-{to}" } },
      { id: "team", match: { to: to("team") }, place: { room: "team-{to}" } },
      {
        id: "bridge",
        match: { to: to("bridge") },
        ask: { pin: { say: QUESTION, digits: "4-8", secret: true, goodbye: GOODBYE } },
        rules: [
          {
            id: "pin-bridge",
            match: { "answer.pin": { hmac: hmacs.bridge } },
            place: { room: "bridge-{to}" },
          },
          { id: "pin-board", match: { "answer.pin": { hmac: hmacs.board } }, place: { room: "board-{to}" } },
        ],
      },
      seats("queue", line, { wait: { music: LINE } }),
      seats("desk", among("next")),
      seats("class", among("spread")),
      seats("regular", among("spread"), { sticky: "from" }),
      { id: "closed", match: { to: numberOf("closed", 0) }, reject: { say: "We are closed." } },
      { id: "busy", match: { to: numberOf("busy", 0) }, reject: { reason: "busy" } },
      {
        id: "night",
        match: { to: numberOf("night", 0) },
        hand_over: { swml: voicemail_url, cxml: `${voicemail_url}/voicemail.xml` },
      },
    ],
  };
}
