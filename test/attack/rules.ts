/** Numbers of the tenants' rules, by what a caller to them meets. */
export const numbers = {
  team: "+15550100100",
  handed_over: "+15550100101",
  closed: "+15550100102",
  bridge: "+15550100103",
  lobby: "+15550100104",
  desk: "+15550100105",
  welcome: "+15550100106",
  recorded: "+15550100107",
  full: "+15550100108",
  meeting: "+15550100109",
  listed: "+15550100110",
  night: "+15550100111",
} as const;

/** What a call hears that no rule takes. */
export const FALLBACK = "This number is not in use.";
export const QUESTION = "Enter your PIN.";
/** Where a header is too much for the rules. */
export const DESK = "desk";
/** Of a line: so long that nobody who waits in it asks how it stands while a run lasts. */
const MUSIC = "https://files.example.com/line.mp3#seconds=600";

/** Secrets of a tenant's rules, and where its servers are. */
export interface RuleSecrets {
  /** The tenant's own server, without a slash at the end. */
  server: string;
  /** A new secret that documents may show. */
  url(name: string): string;
  bearer: string;
  /** The HMAC of a PIN that stands in the rules. */
  hmac: string;
}

/** What a tenant's rules do, with a secret wherever there can be one. */
export function rulesOf({ server, url, bearer, hmac }: RuleSecrets): object {
  const ours = (path: string) => `${server}/${path}?token=${url(path)}`;
  const file = (name: string) => `https://files.example.com/${name}.mp3?sig=${url(name)}`;
  const handOver = (path: string) => ({ swml: ours(path), cxml: ours(`${path}.xml`) });
  // biome-ignore lint/suspicious/noThenProperty: the language's word; nobody awaits a ruleset.
  const wait = { then: "wait" };
  return {
    lists: { pins: [{ hmac }] },
    rules: [
      {
        id: "team",
        match: { to: numbers.team },
        place: {
          room: "team",
          join: {
            beep: "onEnter",
            status_callback: ours("conference"),
            recording_status_callback: ours("recording"),
            stream: {
              url: `wss://media.example.com/${url("stream")}`,
              authorization_bearer_token: bearer,
              custom_parameters: { key: url("parameter") },
            },
          },
        },
      },
      { id: "handed-over", match: { to: numbers.handed_over }, hand_over: handOver("next") },
      {
        id: "credentials",
        match: { to: numbers.night },
        hand_over: { swml: `https://user:${url("password")}@docs.example.com/next` },
      },
      { id: "closed", match: { to: numbers.closed }, reject: { play: file("sorry") } },
      {
        id: "bridge",
        match: { to: numbers.bridge },
        ask: { pin: { say: QUESTION, digits: "4-12", secret: true } },
        rules: [
          { id: "pin-board", match: { "answer.pin": { list: "pins" } }, place: { room: "board" } },
          { id: "pin-member", match: { "answer.pin": { pins: true } }, place: { room: "{pin.room}" } },
        ],
      },
      {
        id: "lobby",
        match: { to: numbers.lobby },
        place: { room: "lobby", wait: { for: "admission", music: MUSIC } },
      },
      {
        id: "desk",
        match: { to: numbers.desk, headers: { "x-site": "lab-*" }, params: { team: { present: true } } },
        place: {
          room: "{header.x-room}-{param.team|lower}-{from|last4}",
          announce: "To {header.x-room}, {param.team}.",
        },
      },
      {
        id: "welcome",
        match: { to: numbers.welcome },
        place: { room: "hall", announce: { play: file("hello") } },
      },
      {
        id: "recorded",
        match: { to: numbers.recorded },
        place: { room: "recorded", recording_notice: "Recorded.", join: { record: "record-from-start" } },
      },
      {
        id: "full",
        match: { to: numbers.full },
        place: { room: "full", capacity: 2, overflow: wait, rejoin_s: 60, sticky: "from" },
      },
      {
        id: "meeting",
        match: { to: numbers.meeting },
        ask: { meeting: { say: "Which meeting?", digits: "1-8" } },
        rules: [
          {
            id: "met",
            match: {},
            place: {
              room: "m-{answer.meeting}",
              after: { hand_over: handOver("after") },
              max_duration_s: 600,
            },
          },
        ],
      },
      {
        id: "listed",
        match: {
          to: numbers.listed,
          when: "has(params.team) && vars.exists(v, v == 'x') && call.from.startsWith('+1')",
        },
        place: { room: "listed" },
      },
    ],
    fallback: { reject: { say: FALLBACK } },
  };
}

/** Every call is asked for its PIN, whatever it dialled. */
export function bankRules(hmac: string): object {
  return {
    rules: [
      {
        id: "bank",
        match: {},
        ask: { pin: { say: QUESTION, digits: "4-12", secret: true, tries: 10 } },
        rules: [{ id: "vault", match: { "answer.pin": { hmac } }, place: { room: "vault" } }],
      },
    ],
  };
}

/** Rules that would take forever for what one call can bring. */
export const costlyRules = {
  rules: [
    {
      id: "listed",
      match: { to: numbers.listed, when: "params.l.exists(x, 'q' in params.m)" },
      place: { room: "listed" },
    },
    ...Array.from({ length: 19_999 }, (_, index) => ({
      id: `r${index}`,
      match: { to: numbers.desk },
      place: { room: "{header.x|digits|lower|digits}" },
    })),
  ],
  fallback: { place: { room: DESK } },
};

/** Rules with a URL that nothing can read, and that holds a password. */
export function badRules(password: string): object {
  const status_callback = `https://user:${password}@[::1/x`;
  return { rules: [{ id: "any", match: {}, place: { room: "any", join: { status_callback } } }] };
}
