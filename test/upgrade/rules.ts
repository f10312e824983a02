/** What is called, by what the rules do with a call to it. */
export const numbers = {
  /** A room, and nothing else. */
  team: "+15550100130",
  /** Two seats. */
  board: "+15550100150",
  /** Two seats; a caller who drops finds the seat kept. */
  desk: "+15550100160",
  /** Two seats, and a line before them. */
  queue: "+15550100180",
  /** An announcement, then a room. */
  hall: "+15550100120",
  /** A question, then a room. */
  bridge: "+15550100170",
  /** A question for a PIN that no caller has, five times. */
  door: "+15550100140",
  /** A room by the caller's address. */
  own: "+15550100190",
  /** A room that ends when its chair leaves. */
  lesson: "+15550100110",
} as const;

export const CHAIR = "+15550100010";
export const FULL = "All seats are taken.";
export const QUESTION = "Please key in the number of your bridge.";
export const PIN = "Please key in your PIN.";
/** Longer than one version takes to follow the other. */
export const WELCOME = "https://example.com/welcome.mp3#seconds=4";
/** A piece as long as a file is waited for whose end RELAY can't tell. */
export const LINE = "https://example.com/line.mp3#seconds=20";

/** Both versions must take these rules. */
export const rules = {
  rules: [
    { id: "team", match: { to: numbers.team }, place: { room: "team" } },
    {
      id: "board",
      match: { to: numbers.board },
      place: { room: "board", capacity: 2, overflow: instead("reject") },
    },
    {
      id: "desk",
      match: { to: numbers.desk },
      place: { room: "desk", capacity: 2, rejoin_s: 60, overflow: instead("reject") },
    },
    {
      id: "queue",
      match: { to: numbers.queue },
      place: { room: "queue", capacity: 2, overflow: instead("wait"), wait: { music: LINE } },
    },
    { id: "own", match: { to: numbers.own }, place: { room: "own-{from}" } },
    { id: "hall", match: { to: numbers.hall }, place: { room: "hall", announce: { play: WELCOME } } },
    {
      id: "bridge",
      match: { to: numbers.bridge },
      ask: { bridge: { say: QUESTION, digits: "2" } },
      rules: [{ id: "bridge-room", match: {}, place: { room: "bridge-{answer.bridge}" } }],
    },
    {
      id: "door",
      match: { to: numbers.door },
      ask: { pin: { say: PIN, digits: "4", secret: true, tries: 5 } },
      rules: [{ id: "inside", match: { "answer.pin": { pins: true } }, place: { room: "inside" } }],
    },
    {
      id: "chair",
      match: { to: numbers.lesson, from: CHAIR },
      place: { room: "lesson", role: "moderator", join: { end_on_exit: true } },
    },
    { id: "lesson", match: { to: numbers.lesson }, place: { room: "lesson" } },
  ],
};

function instead(then: "reject" | "wait"): object {
  return { then, say: FULL };
}
