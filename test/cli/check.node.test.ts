import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const partyline = fileURLToPath(new URL("../../cli/partyline.ts", import.meta.url).href);
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "partyline-check-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command line in the folder, as a person would. */
function run(...args: string[]): Promise<{ code: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [partyline, ...args], { cwd: folder }, (error, out, err) => {
      resolve({ code: error === null ? 0 : error.code, out, err });
    });
  });
}

async function check(name: string, text: string, ...options: string[]) {
  await writeFile(join(folder, name), text);
  return await run("check", name, ...options);
}

test("a good ruleset in JSON exits with 0", async () => {
  const text = '{\n\t"rules": [{ "id": "a", "match": {}, "place": { "room": "caf\\u00e9" } }]\n}';
  expect(await check("good.json", text.replace("\\u00e9", ""))).toEqual({
    code: 0,
    out: "good.json: 1 rule, 0 errors, 0 warnings\n",
    err: "",
  });
});

test("JSONC may have comments and trailing commas; what looks like one inside a text is left alone", async () => {
  const text = `// rules
{ "rules": [ /* first */ { "id": "a", "match": { "params": { "u": "a//b, ] /* c */" }, }, "place": { "room": "a" } }, // more
  /* last, */ ], }`;
  expect(await check("good.jsonc", text)).toMatchObject({
    code: 0,
    out: "good.jsonc: 1 rule, 0 errors, 0 warnings\n",
  });
  const { code, out } = await check("good.json", text);
  expect(code).toBe(1);
  expect(out).toContain(
    "good.json:1:1: error: is not JSON from here on; with comments or trailing commas it is .jsonc",
  );
});

test.each<[name: string, bytes: string | Buffer | null, said: string]>([
  ["nowhere.json", null, "error: nowhere.json: there is no such file\n"],
  [".", null, "error: .: is a folder, not a file\n"],
  ["binary.yaml", Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]), "error: binary.yaml: is not a text file\n"],
  ["wide.json", Buffer.from("\ufeff{}", "utf16le"), "error: wide.json: is UTF-16: save it as UTF-8\n"],
  ["latin.yaml", Buffer.from("caf\u00e9", "latin1"), "error: latin.yaml: is not UTF-8: save it as UTF-8\n"],
  ["rules.txt", "{}", "error: rules.txt: name it .json, .jsonc, .yaml or .yml, as what it holds\n"],
])("%s cannot be read, and is said why", async (name, bytes, said) => {
  if (bytes !== null) await writeFile(join(folder, name), bytes);
  expect(await run("check", name)).toEqual({ code: 2, out: "", err: said });
});

test.each<[name: string, text: string, said: string]>([
  ["text.json", '"rules"', "text.json:1:1: error: must be an object, not text"],
  [
    "two.yaml",
    "---\nrules: []\n---\nrules: []\n",
    "two.yaml:3:1: error: a second document begins here: one file holds one",
  ],
  [
    "say.yaml",
    "say: Note: closed\n",
    'say.yaml:1:6: error: a key has one value: put text with ": " in it in quotes',
  ],
])("%s holds no ruleset, and the fault is told in plain words", async (name, text, said) => {
  expect(await check(name, text)).toEqual({
    code: 1,
    out: `${said}\n${name}: 1 error, 0 warnings\n`,
    err: "",
  });
});

test("errors in YAML name path, line and column, and what was meant, and exit with 1", async () => {
  const text = `# by hand
lists:
  vips: ["555-010-0100"]
  spare: []
rules:
  - id: vip
    match:
      to: "+15550100100"
      from: { list: vips }
    place:
      room: vip
      join: { max_participants: 300 }
`;
  expect(await check("bad.yaml", text)).toEqual({
    code: 1,
    out: `bad.yaml:3:10: error: lists.vips[0]: must be an E.164 number such as "+15550100100", a prefix such as "+1555*", a SIP URI such as "sip:*@example.com", or "anonymous", not "555-010-0100"
    did you mean "+15550100100"?
bad.yaml:4:3: warning: lists.spare: no rule uses this list
bad.yaml:12:15: warning: rules[0].place.join.max_participants: RELAY's guide knows no more than 250; SWML's goes to 100000
bad.yaml: 1 error, 2 warnings
`,
    err: "",
  });
  const unquoted = await check(
    "bad.yml",
    "rules:\n  - id: a\n    match: { to: +15550100100, form: x }\n    place: { room: a }\n",
  );
  expect(unquoted.out).toContain("bad.yml:3:14: error: rules[0].match.to: must be text");
  expect(unquoted.out).toContain('did you mean "+15550100100"?');
  expect(unquoted.out).toContain("bad.yml:3:32: error: rules[0].match.form: unknown key");
});

test("machines get one JSON object with the same", async () => {
  const { code, out } = await check("bad.json", '{ "rules": [],\n  "fallbak": {} }', "--json");
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({
    file: "bad.json",
    kind: "ruleset",
    ok: false,
    errors: [
      {
        path: "fallbak",
        message:
          "unknown key; allowed here: ways_in, timezone, lists, schedules, roles, defaults, rules, fallback",
        suggestion: "fallback",
        line: 2,
        column: 3,
      },
    ],
    warnings: [],
  });
});

test("a key written twice is an error, in JSON too, where the last would win in silence", async () => {
  const { code, out } = await check("twice.json", '{ "rules": [],\n  "rules": [] }');
  expect(code).toBe(1);
  expect(out).toMatch(/^twice\.json:2:\d: error: /);
});

test("YAML cannot smuggle in what JSON could not hold", async () => {
  const proto = "rules:\n  - id: a\n    match: { params: { __proto__: x } }\n    place: { room: a }\n";
  expect((await check("proto.yaml", proto)).out).toContain("rules[0].match.params.__proto__: is not a name");
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 12; level++)
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(", ")}]`,
    );
  expect(await check("bomb.yaml", lines.join("\n"))).toMatchObject({
    code: 1,
    out: expect.stringContaining("too many aliases"),
  });
});

test("whose rules they are decides how long a room's name may be", async () => {
  const text = JSON.stringify({ rules: [{ id: "a", match: {}, place: { room: "r".repeat(60) } }] });
  expect(await check("long.json", text)).toMatchObject({ code: 0 });
  expect(await check("long.json", text, "--tenant", "acme")).toMatchObject({ code: 1 });
  expect(await check("long.json", text, "--tenant", "acme", "--plain")).toMatchObject({ code: 0 });
  expect(await check("long.json", text, "--tenant", "Acme")).toMatchObject({ code: 2 });
});

test("what cannot be looked at exits with 2 and says why", async () => {
  expect(await run("check")).toMatchObject({
    code: 2,
    err: expect.stringContaining("missing required argument"),
  });
  expect(await run("chek")).toMatchObject({ code: 2, err: expect.stringContaining("Did you mean check?") });
  expect(await run("check", "nowhere.json", "--json")).toMatchObject({
    code: 2,
    out: expect.stringContaining('"ok":false'),
  });
  expect(await run("--help")).toMatchObject({ code: 0, out: expect.stringContaining("check") });
});

test("rules that can take longer than a decision may are an error where they stand", async () => {
  const text = `rules:
  - id: shared
    match:
      when: params.mine.exists(one, one in params.yours)
    place: { room: shared }
`;
  const { code, out } = await check("slow.yaml", text);
  expect(code).toBe(1);
  expect(out).toMatch(
    /slow\.yaml:4:\d+: error: .*rules\[0\]\.match\.when.* can make a decision take [\d,]+ steps, and 3,000,000 are allowed: compare single values/,
  );
});

test("a record is checked for unknown keys, and for values that can't be", async () => {
  const tenant = '{\n  "project_id": "p-1",\n  "joinvia": "document"\n}';
  const wrong = await check("tenant.json", tenant, "--record", "tenant");
  expect([wrong.code, wrong.out]).toEqual([
    1,
    expect.stringMatching(
      /^tenant\.json:3:3: error: joinvia: unknown key; allowed here: .*\n {4}did you mean "join_via"\?\n.*1 error, 0 warnings\n$/,
    ),
  ]);
  const right = await check("tenant.json", tenant.replace("joinvia", "join_via"));
  expect(right).toMatchObject({ code: 0, out: "tenant.json: a tenant's record, 0 errors, 0 warnings\n" });
  const project = "space: example\ncredentials: v1.x\nsigning_keys: [v1.y]\nsession: { keep_days: 900 }\n";
  const { code, out } = await check("project.yaml", project);
  expect(code).toBe(1);
  expect(out).toContain("session.keep_days: must be at most 90, not 900");
  expect((await check("project.yaml", project, "--record", "pins")).code).not.toBe(0);
});

test("YAML's own traps are told with what to write: numbers, comments and braces where text was meant", async () => {
  const text = `rules:
  - id: a
    match: { to: +15550100700 }
    ask:
      pin: { say: PIN?, digits: 4, terminator: #
        }
    rules:
      - id: b
        match: { answer.pin: 0123 }
        place: { room: {from}, join: { muted: off } }
`;
  expect(await check("traps.yaml", text)).toEqual({
    code: 1,
    out: `traps.yaml:3:14: error: rules[0].match.to: must be text, a list of texts, or { "list": "name" }, not 15550100700
    did you mean "+15550100700"?
traps.yaml:5:25: error: rules[0].ask.pin.digits: must be text, not 4
    did you mean "4"?
traps.yaml:5:36: error: rules[0].ask.pin.terminator: must be one of "#", "*", "none", not null: nothing stands there; in YAML what follows a # is a comment, unless it is in quotes
    did you mean "#"?
traps.yaml:9:18: error: rules[0].rules[0].match["answer.pin"]: must be digits in quotes, { "hmac": "…" }, a list of these, { "list": "name" }, { "pins": true } or { "none": true }, not a number
    did you mean "0123"?
traps.yaml:10:18: error: rules[0].rules[0].place.room: must be text, not an object: text that begins with { needs quotes in YAML
    did you mean "{from}"?
traps.yaml:10:40: error: rules[0].rules[0].place.join.muted: must be true or false, not "off": write false
traps.yaml: 6 errors, 0 warnings
`,
    err: "",
  });
  expect((await check("star.yaml", "rules:\n  - id: a\n    match: { from: * }\n")).out).toContain(
    'star.yaml:3:20: error: a * begins a reference in YAML: put what begins with * in quotes, such as "*"\n',
  );
});

test("a PIN without quotes that begins with 0 is told in JSON, too, where it is no number", async () => {
  const text = '{ "rules": [{ "id": "a",\n  "match": { "answer.pin": 0123 }, "place": { "room": "a" } }] }';
  expect((await check("zero.json", text)).out).toBe(
    'zero.json:2:28: error: 0123 begins with 0, which no number of JSON does: write "0123", in quotes\nzero.json: 1 error, 0 warnings\n',
  );
});

test("an empty file is told so, whatever its language", async () => {
  expect((await check("empty.yaml", "")).out).toBe(
    'empty.yaml:1:1: error: is empty: write at least { "rules": [] }\nempty.yaml: 1 error, 0 warnings\n',
  );
  expect((await check("comments.yaml", "# rules\n")).out).toContain(
    'error: is empty: write at least { "rules": [] }\n',
  );
});

test("the records of a project and a tenant are known by what is in them, and their faults told in plain words", async () => {
  const project = `{ "space": "example", "credentials": "v1.x", "signing_keys": "v1.y",
  "relay_url": "example.com", "session": { "stay_up": "yes", "keep_days": "7" } }`;
  expect(await check("acme.json", project)).toEqual({
    code: 1,
    out: `acme.json:1:46: error: signing_keys: must be a list, not "v1.y": write ["v1.y"]
acme.json:2:3: error: relay_url: must be a whole URL, such as https://example.com
acme.json:2:44: error: session.stay_up: must be true or false, not "yes": write true
acme.json:2:62: error: session.keep_days: must be a number, not "7": write 7, without quotes
acme.json: a project's record, 4 errors, 0 warnings
`,
    err: "",
  });
  const tenant = `project_id: p-1\nreport_until: tomorrow\ncountry: Germany\n`;
  expect(
    (await check("acme.yaml", tenant)).out,
  ).toBe(`acme.yaml:2:1: error: report_until: must be an ISO 8601 date and time with its offset, such as 2026-12-24T10:00:00Z
acme.yaml:3:1: error: country: must be a country as ISO 3166 writes it, such as DE, not "Germany"
acme.yaml: a tenant's record, 2 errors, 0 warnings
`);
});
