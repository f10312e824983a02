import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { CarrierClient } from "./client.ts";

const script = (name: string) => join(import.meta.dirname, name);
const run = promisify(execFile);
let child: ChildProcess | null = null;
afterEach(() => {
  child?.kill("SIGKILL");
});

async function start(...flags: string[]) {
  const started = spawn(process.execPath, [script("main.ts"), "--port", "0", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  const [line] = await once(createInterface(started.stdout), "line");
  const ready: { relay: string; control: string; project_id: string; token: string; signing_key: string } =
    JSON.parse(String(line));
  return { ready, started };
}

test("the program prints one line when ready, serves the project of its flags, and ends on SIGTERM", async () => {
  const { ready, started } = await start(
    "--project",
    "demo",
    "--token",
    "PTdemo",
    "--signing-key",
    "PSKdemo",
  );
  expect(ready).toMatchObject({ ready: true, project_id: "demo", token: "PTdemo", signing_key: "PSKdemo" });
  const relay = await BareRelay.open(ready.relay);
  expect((await relay.connect(ready)).result).toMatchObject({ session_restored: false });
  started.kill("SIGTERM");
  expect(await once(started, "exit")).toEqual([0, null]);
});

test("the program explains itself, and what it does not know", async () => {
  const { stdout } = await run(process.execPath, [script("main.ts"), "--help"]);
  for (const flag of ["--port", "--project", "--token", "--signing-key", "cli.ts"])
    expect(stdout).toContain(flag);
  await expect(run(process.execPath, [script("main.ts"), "--prot", "1"])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/'--prot'.*npm run carrier/s),
  });
});

/** Each word to the command line is a process of its own, so this takes seconds on a busy machine. */
async function commandLine() {
  const { ready } = await start();
  const cli = async (...words: string[]) => {
    const { stdout } = await run(process.execPath, [script("cli.ts"), "--control", ready.control, ...words]);
    return stdout;
  };
  return { ready, cli };
}

/** A web server with one SWML document. */
async function serveDocument(main: object[]) {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ version: "1.0.0", sections: { main } }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo; // It listens on a port.
  return {
    url: `http://127.0.0.1:${port}/swml`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test("people place a call, hear its question, see it and hang up from the command line", {
  timeout: 20_000,
}, async () => {
  const { ready, cli } = await commandLine();
  await using document = await serveDocument([
    { answer: {} },
    { prompt: { play: "say:Enter your PIN.", max_digits: 4, initial_timeout: 60 } },
  ]);
  const placed = await cli("call", "--from", "+15550100001", "--to", "+15550100100", "--url", document.url);
  const { call_id, hears }: { call_id: string; hears: string[] } = JSON.parse(placed);
  expect(hears).toEqual(["say Enter your PIN."]);
  expect(await cli("calls")).toMatch(
    new RegExp(
      `^${call_id}  \\+15550100001 → \\+15550100100  answered, in no conference; hears (\\(before\\) )?say Enter your PIN\\.\n$`,
    ),
  );
  await cli("hangup", call_id);
  const project = new CarrierClient(ready.control).project(ready);
  expect(await project.call(call_id)).toMatchObject({ state: "ended", end_reason: "hangup" });
  expect(await cli("journal")).toContain('"state":"ended"');
});

test("people take RELAY away and bring it back from the command line", { timeout: 20_000 }, async () => {
  const { ready, cli } = await commandLine();
  const before = await BareRelay.open(ready.relay);
  await before.connect(ready);
  expect(await cli("relay", "down")).toBe("RELAY is out of reach.\n");
  await expect(BareRelay.open(ready.relay).then((relay) => relay.connect(ready))).rejects.toThrow();
  expect(await cli("relay", "up")).toBe("RELAY is up; clients come back within a minute.\n");
  const after = await BareRelay.open(ready.relay);
  expect((await after.connect(ready)).result).toBeDefined();
});

test("the command line refuses a call that leads nowhere, or comes from an address that is none", {
  timeout: 20_000,
}, async () => {
  const { cli } = await commandLine();
  const from_to = ["--from", "+15550100001", "--to", "+15550100100"];
  const way =
    "call needs one of --url, --cxml-url and --context: what is set at SignalWire for the number that is called";
  const odd = (option: string, given: string) =>
    `${option} takes a number such as +15550100001, a SIP address such as sip:alice@example.com, or anonymous; not "${given}"`;
  const cases: [words: string[], said: string][] = [
    [from_to, way],
    [[...from_to, "--url", "http://127.0.0.1:1/", "--context", "main"], way],
    [["--from", "5550100001", "--to", "+15550100100", "--context", "main"], odd("--from", "5550100001")],
    [["--from", "+1555010x001", "--to", "+15550100100", "--context", "main"], odd("--from", "+1555010x001")],
    [["--from", "+15550100001", "--to", "me", "--context", "main"], odd("--to", "me")],
    [["--to", "+15550100100", "--context", "main"], "call needs --from and --to"],
  ];
  for (const [words, said] of cases)
    await expect(cli("call", ...words)).rejects.toMatchObject({ code: 1, stderr: `${said}\n` });
  expect(await cli("calls")).toBe("");
});
