import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
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

// Each word to the command line is a process of its own, so this takes seconds on a busy machine.
test("people place a call, see it and hang up from the command line", { timeout: 20_000 }, async () => {
  const { ready } = await start();
  const cli = async (...words: string[]) => {
    const { stdout } = await run(process.execPath, [script("cli.ts"), "--control", ready.control, ...words]);
    return stdout;
  };
  const { call_id }: { call_id: string } = JSON.parse(
    await cli("call", "--from", "+15550100001", "--to", "+15550100100"),
  );
  expect(await cli("calls")).toContain(`${call_id}  +15550100001 → +15550100100  ringing`);
  await cli("hangup", call_id);
  const project = new CarrierClient(ready.control).project(ready);
  expect(await project.call(call_id)).toMatchObject({ state: "ended", end_reason: "hangup" });
  expect(await cli("journal")).toContain('"state":"ended"');
});
