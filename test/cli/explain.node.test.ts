import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerHmac } from "../../shared/secret-answer.ts";
import { runPartyline } from "./run-partyline.ts";

const partyline = fileURLToPath(new URL("../../cli/partyline.ts", import.meta.url).href);
const examples = fileURLToPath(new URL("../../examples/", import.meta.url).href);
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "partyline-explain-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command line, as a person without colours would. */
function run(...args: string[]): Promise<{ code: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
    execFile(process.execPath, [partyline, ...args], { cwd: examples, env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : error.code, out, err });
    });
  });
}

async function explain(file: string, ...options: string[]) {
  const { out, err } = await run("explain", file, ...options, "--json");
  expect(err).toBe("");
  const { decision, document }: { decision: { rule: string | null; action: string }; document: unknown } =
    JSON.parse(out);
  return { ...decision, document };
}

const morning = ["--at", "2026-11-23T10:00:00-05:00"];
const line = ["--to", "+15550100100"];

test("every example is good, without a warning", async () => {
  const files = await readdir(examples);
  expect(files).toHaveLength(10);
  for (const file of files) {
    const { code, out } = await run("check", file, "--tenant", "acme", "--json");
    expect({ file, code, out: JSON.parse(out) }).toMatchObject({
      code: 0,
      out: { errors: [], warnings: [] },
    });
  }
}, 60_000);

test("says what an address is read as, and hints at the number that a rule would match", async () => {
  const file = join(folder, "berlin.json");
  const match = { to: "+4930123456", from: "+15550100001" };
  await writeFile(file, JSON.stringify({ rules: [{ id: "berlin", match, place: { room: "berlin" } }] }));
  const said = async (...options: string[]) => (await run("explain", file, ...options)).out;
  const to = ["--to", "4930123456"];
  expect(await said(...to)).toContain(
    '"4930123456" is not "+4930123456"; as "+4930123456" it would be: name its "country" in the tenant\'s record',
  );
  expect(await said("--to", "030 123456")).toContain('as "+4930123456" it would be: name its "country"');
  const german = [...to, "--country", "DE"];
  const sip = ["--from", "sip:+15550100001@gw.example.net"];
  expect(await said(...german, ...sip)).toContain('name its host in "sip_gateways" in the tenant\'s record');
  const placed = await said(...german, ...sip, "--sip-gateway", "gw.example.net");
  expect(placed).toContain("placed as participant");
  expect(placed).toContain('"4930123456", read as "+4930123456", is "+4930123456"');
  expect(await said("--to", "", "--from", "Out-of-Area")).toContain('"", read as anonymous, is not');
  expect((await run("explain", file, "--country", "XX")).err).toContain("ISO 3166");
});

test("the support line overflows in office hours, and is closed on a holiday", async () => {
  const caller = [...line, "--from", "+15550100001"];
  expect(await explain("support-line.yaml", ...caller, ...morning)).toMatchObject({
    rule: "support",
    rooms: ["support", "support-2", "support-3", "support-4", "support-5"],
    capacity: 20,
    sticky_key: "+15550100001",
    join: { start_on_enter: false },
  });
  expect(await explain("support-line.yaml", ...caller, "--at", "2026-11-26T10:00:00-05:00")).toMatchObject({
    rule: "closed",
    document: { sections: { main: expect.arrayContaining([{ hangup: {} }]) } },
  });
}, 60_000);

test("the bridge asks for a PIN, and knows the chair by it", async () => {
  const bridge = ["--to", "+15550100199"];
  expect(await explain("pin-bridge.json", ...bridge)).toMatchObject({ rule: "bridge", action: "ask" });
  const chair = await explain("pin-bridge.json", ...bridge, "--answer", `pin=hmac:${"0".repeat(64)}`);
  expect(chair).toMatchObject({ rule: "chair", role: "moderator" });
  const guest = await explain("pin-bridge.json", ...bridge, "--pin", 'pin={"room":"garden"}');
  expect(guest).toMatchObject({ rule: "guest", rooms: ["garden"], wait: { for: ["moderator"] } });
  const wrong = await explain("pin-bridge.json", ...bridge, "--answer", `pin=hmac:${"9".repeat(64)}`);
  expect(wrong).toMatchObject({ action: "ask", ask: [{ try: 2 }] });
}, 60_000);

test("a practice has a lobby, an hour with the doctor, and lines in which to wait", async () => {
  const at = (to: string) => explain("waiting-room.yaml", "--to", to, "--from", "+15550100001");
  expect(await at("+15550100810")).toMatchObject({ rule: "open-hour", wait: { for: ["moderator"] } });
  expect(await at("+15550100820")).toMatchObject({
    rooms: ["visit-15550100001"],
    wait: { for: ["admission"], max_s: 900 },
    announce: [{ say: "This call is recorded for your file." }],
  });
  const { out } = await run("explain", "waiting-room.yaml", "--to", "+15550100830");
  expect(out).toContain(
    [
      "rooms, in order: advice, advice-2, advice-3",
      'waits for a seat: 600 s at most, with https://practice.example.com/music.mp3, told their place in the line: "You are number {position} in line."; then handed over to https://practice.example.com/call-back or https://practice.example.com/call-back.xml',
      "seats of each room: 2",
      "who drops finds the seat again for 300 s",
    ].join("\n"),
  );
}, 60_000);

test("VIPs have rooms of their own, and who withholds the number is turned away", async () => {
  expect(await explain("vip-list.json", ...line, "--from", "+15550190042")).toMatchObject({
    rooms: ["vip-15550190042"],
  });
  expect(await explain("vip-list.json", ...line, "--from", "anonymous")).toMatchObject({ rule: "withheld" });
}, 60_000);

test("the school has lessons in its terms, and an office in between", async () => {
  const school = ["--to", "+15550100300", "--param", "class=5B"];
  const at = (time: string) => explain("school.yaml", ...school, "--at", time);
  expect(await at("2026-11-23T10:00:00+01:00")).toMatchObject({ rooms: ["class-5b"] });
  expect(await at("2026-10-20T10:00:00+02:00")).toMatchObject({ rule: "office" });
  expect(await at("2026-12-29T10:00:00+01:00")).toMatchObject({ rule: "away" });
}, 60_000);

test("a supervisor coaches the agent whose number they key", async () => {
  const supervisor = ["--to", "+15550100599", "--from", "+15550100501"];
  expect(
    await explain("supervisor-coaching.yaml", ...supervisor, "--answer", "agent=15550100400"),
  ).toMatchObject({ rule: "one", coach: { call_from: "+15550100400", if_absent: "listen" } });
  expect(await explain("supervisor-coaching.yaml", ...supervisor, "--answer", "agent=0")).toMatchObject({
    coach: { role: "agent", if_several: "listen" },
  });
}, 60_000);

test("a company meeting waits for its chair, is recorded and says so, and its audience waits for admission", async () => {
  const meeting = ["--to", "+15550100900", "--from", "+15550100003", "--pin"];
  const recorded = { record: "record-from-start" };
  const heard = { announce: [{ say: "This meeting is recorded." }] };
  const chair = 'pin={"room":"all-hands","role":"chair"}';
  expect(await explain("all-hands.yaml", ...meeting, chair)).toMatchObject({
    ...heard,
    join: { ...recorded, start_on_enter: true, end_on_exit: true },
  });
  const speaker = 'pin={"room":"all-hands","role":"speaker"}';
  expect(await explain("all-hands.yaml", ...meeting, speaker)).toMatchObject({
    ...heard,
    join: { ...recorded, start_on_enter: false },
  });
  const nothing = ["--to", "+15550100900", "--answer", "pin="];
  expect(await explain("all-hands.yaml", ...nothing)).toMatchObject({
    ...heard,
    join: { ...recorded, start_on_enter: false, muted: true },
    wait: { for: ["admission"] },
  });
}, 60_000);

test("a call centre reaches the coast that is open for the caller's prefix", async () => {
  const support = ["--to", "+15550100700", "--answer", "choice=2", "--at", "2026-12-01T19:00:00-05:00"];
  expect(await explain("call-centre.yaml", ...support, "--from", "+15550200004")).toMatchObject({
    rooms: ["support-west"],
    wait: { for: ["seat"] },
  });
  expect(await explain("call-centre.yaml", ...support, "--from", "+15550100004")).toMatchObject({
    rule: "closed",
  });
}, 60_000);

test("a site has its room by its header, from a webhook's body too", async () => {
  const webhook = join(folder, "webhook.json");
  const call = {
    call_id: "c2d3e4f5",
    direction: "inbound",
    type: "sip",
    from: "sip:alice@pbx.example.com",
    to: "sip:team@conference.example.com",
    headers: [{ name: "X-Site", value: "Berlin" }],
  };
  await writeFile(webhook, JSON.stringify({ call, vars: {}, params: {} }));
  expect(await explain("sites.jsonc", "--webhook", webhook, "--tenant", "acme")).toMatchObject({
    rooms: ["site-berlin-team"],
    document: {
      sections: { main: [{ answer: {} }, { join_conference: { name: "acme:site-berlin-team" } }] },
    },
  });
}, 60_000);

test("the night goes to voicemail, and people read why", async () => {
  const { code, out } = await run(
    "explain",
    "night-voicemail.yaml",
    "--to",
    "+15550100600",
    "--at",
    "2026-11-23T02:00:00-06:00",
  );
  expect(code).toBe(0);
  expect(out).toContain("handed over by rule night");
  expect(out).toContain('    during: it is Monday 2026-11-23 02:00 in America/Chicago: "night" is open');
  expect(out).toContain('"dest": "https://voicemail.example.com/acme"');
}, 60_000);

test("--full shows every rule that was passed over, and the field that ruled it out", async () => {
  const rules = Array.from({ length: 30 }, (_, index) => ({
    id: `n${index}`,
    match: { to: `+155501000${String(index + 10)}` },
    place: { room: "room" },
  }));
  const file = join(folder, "numbers.json");
  await writeFile(file, JSON.stringify({ rules }));
  const last = [file, "--to", "+15550100039"];
  expect((await run("explain", ...last)).out).not.toContain("n0");
  expect((await run("explain", ...last, "--full")).out).toContain(
    '✗ n0\n    not to: "+15550100039" is not "+15550100010"',
  );
}, 60_000);

test("what cannot be explained exits with 1 or 2 and says why", async () => {
  expect(await run("explain", "vip-list.json", "--to", "+14440100100")).toMatchObject({ code: 1 });
  const bad = join(folder, "bad.json");
  await writeFile(bad, '{"rules":[{"id":"a","match":{}}]}');
  expect(await run("explain", bad)).toMatchObject({
    code: 1,
    err: expect.stringContaining("takes exactly one of"),
  });
  for (const [options, why] of [
    [["--at", "tomorrow"], "--at must be ISO 8601"],
    [["--header", "x"], "name=value"],
    [["--webhook", "nowhere.json"], "no such file"],
    [["--tenant", "Acme"], "--tenant takes"],
  ] as const) {
    const { code, err } = await run("explain", "vip-list.json", ...options);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(why) });
  }
}, 60_000);

const conferenceOfAll = {
  timezone: "America/New_York",
  schedules: { office: { open: ["mon-fri 09:00-17:00"] } },
  rules: [
    {
      id: "door",
      match: { to: "+15550100700" },
      ask: { pin: { say: "Key your PIN, or pound.", digits: "0-6", secret: true } },
      rules: [
        { id: "chair", match: { "answer.pin": { hmac: "" } }, place: { room: "all", role: "moderator" } },
        { id: "listener", match: { "answer.pin": { none: true } }, place: { room: "all", role: "listener" } },
      ],
    },
    { id: "day", match: { during: "office" }, place: { room: "day" } },
  ],
};
const key = Buffer.alloc(32, 7).toString("base64");

/** The ruleset above, whose chair has the PIN 4711. */
async function withPin(): Promise<string> {
  const text = JSON.stringify(conferenceOfAll).replace(
    '"hmac":""',
    `"hmac":"${await answerHmac(key, "acme", "4711")}"`,
  );
  const file = join(folder, "all.json");
  await writeFile(file, text);
  return file;
}

test("a secret's digits become their HMAC where the key is, and where it is not the way to it is told", async () => {
  const file = await withPin();
  const args = ["explain", file, "--tenant", "acme", "--to", "+15550100700"];
  const env = { CREDENTIALS_KEY: key };
  const right = await runPartyline({ args: [...args, "--answer", "pin=4711"], env });
  expect(right.out).toMatch(/^placed as moderator in the first room with a seat by rule chair\n/);
  const wrong = await runPartyline({ args: [...args, "--answer", "pin=4712"], env });
  expect(wrong.out).toMatch(/^asked for pin \(try 2\) by rule door\n/);
  expect(await runPartyline({ args: [...args, "--answer", "pin=4711"] })).toEqual({
    code: 2,
    out: "",
    err: "error: pin is a secret, and rules know its HMAC alone. Set CREDENTIALS_KEY to the Worker's secret, and it is computed here; or have npx partyline secret --tenant acme print it, and write --answer pin=hmac:<64 hex digits>\n",
  });
  expect((await runPartyline({ args: [...args, "--answer", "pn=4711"] })).err).toBe(
    "error: nothing asks for pn: the rules ask for pin. Did you mean pin?\n",
  );
  const silent = await runPartyline({ args: [...args, "--answer", "pin="] });
  expect(silent.out).toMatch(/^placed as listener in the first room with a seat by rule listener\n/);
  expect(silent.out).toContain("✓ listener\n    answer.pin: nothing was keyed, as wanted\n");
}, 60_000);

test("callers of a CSV are explained a line each, at times by the clock of the ruleset's zone", async () => {
  const file = await withPin();
  const callers = join(folder, "callers.csv");
  await writeFile(
    callers,
    'from,to,at,answer.pin\n+15550100001,+15550100700,2026-11-23T10:00,-\n\n+15550100002,+15550100100,2026-11-23T16:59,\n"",+15550100100,2026-11-23T17:00\n',
  );
  expect(await runPartyline({ args: ["explain", file, "--callers", callers] })).toEqual({
    code: 1,
    err: "",
    out: `${callers}:2: +15550100001 to +15550100700: placed as listener in the first room with a seat (all) by rule listener
${callers}:4: +15550100002 to +15550100100: placed as participant in the first room with a seat (day) by rule day
${callers}:5: (no number) to +15550100100: rejected no rule matched
`,
  });
  const inBerlin = ["explain", file, "--callers", callers, "--timezone", "Europe/Berlin", "--json"];
  const { out } = await runPartyline({ args: inBerlin });
  const { callers: found }: { callers: { line: number; decision: { rule: string | null } }[] } =
    JSON.parse(out);
  expect(found.map(({ line, decision }) => [line, decision.rule])).toEqual([
    [2, "listener"],
    [4, "day"],
    [5, "day"],
  ]);
  for (const [text, why] of [
    [
      "from;to\n",
      `${callers}:1: there is no column "from;to"; there are from, to, at, type, answer.<name>, header.<name>, param.<name>; its columns are divided by commas`,
    ],
    [
      "form\n+1\n",
      `${callers}:1: there is no column "form"; there are from, to, at, type, answer.<name>, header.<name>, param.<name>. Did you mean from?`,
    ],
    ["from\n", `${callers} names no caller: write one a line after the first`],
    [
      "from,at\n+1,soon\n",
      `${callers}:2: --at must be ISO 8601, such as 2026-12-24T10:00:00-05:00, or 2026-12-24T10:00 by the clock of --timezone, not "soon"`,
    ],
  ]) {
    await writeFile(callers, text ?? "");
    expect(await runPartyline({ args: ["explain", file, "--callers", callers] })).toEqual({
      code: 2,
      out: "",
      err: `error: ${why}\n`,
    });
  }
}, 60_000);

test("a webhook's body of each way a call comes is read", async () => {
  const file = await withPin();
  const body = join(folder, "body");
  const bodies = {
    swml: '{"call":{"call_id":"c-1","direction":"inbound","type":"phone","from":"+15550100001","to":"+15550100700"},"params":{}}',
    cxml: "CallSid=c-1&AccountSid=p-1&CallStatus=ringing&Direction=inbound&From=%2B15550100001&To=%2B15550100700",
    relay:
      '{"jsonrpc":"2.0","method":"signalwire.event","params":{"event_type":"calling.call.receive","params":{"call_id":"c-1","direction":"inbound","device":{"type":"phone","params":{"from_number":"+15550100001","to_number":"+15550100700"}}}}}',
  };
  for (const [way, text] of Object.entries(bodies)) {
    await writeFile(body, text);
    const { out } = await runPartyline({ args: ["explain", file, "--webhook", body] });
    expect({ way, out }).toEqual({
      way,
      out: expect.stringMatching(/^asked for pin \(try 1\) by rule door\n/),
    });
  }
  await writeFile(body, '{"call":{}}');
  expect((await runPartyline({ args: ["explain", file, "--webhook", body] })).err).toBe(
    `error: ${body} is no webhook's body: call.call_id: is missing: text. It is the JSON of a SWML webhook, the form of a cXML one, or RELAY's calling.call.receive\n`,
  );
}, 60_000);

test("a list in KV is taken for empty, and said to be, unless a file says what is in it", async () => {
  const file = join(folder, "kv.json");
  const vip = { id: "vip", match: { from: { list: "vips" } }, place: { room: "vip" } };
  await writeFile(file, JSON.stringify({ lists: { vips: { kv: "vips-us" } }, rules: [vip] }));
  const list = join(folder, "vips.json");
  await writeFile(list, '["+15550100001"]');
  const args = ["explain", file, "--from", "+15550100001"];
  expect(await runPartyline({ args })).toMatchObject({
    code: 1,
    err: "note: the list vips-us is in KV, and taken for empty here: --list vips-us=<file> says what is in it\n",
  });
  expect(await runPartyline({ args: [...args, "--list", `vips-us=${list}`] })).toMatchObject({
    code: 0,
    err: "",
  });
  expect((await runPartyline({ args: [...args, "--list", `vips=${list}`] })).err).toBe(
    "error: --list vips: the rules name vips-us\n",
  );
}, 60_000);
