import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { startCarrierProcess } from "./carrier-process.ts";
import { floor } from "./floor.ts";
import { invitation } from "./invitation.ts";
import { type Done, deedsTable, operate } from "./operator.ts";
import { type Played, playTenant } from "./playing.ts";
import { tableOf } from "./table.ts";
import { stageTenants, variablesOf } from "./tenants.ts";
import { complaintsOf, rowOf } from "./verdict.ts";
import { startVoicemail } from "./voicemail.ts";
import { startWorker } from "./worker.ts";
import type { WorkerLog } from "./worker-log.ts";

const { values } = parseArgs({
  options: { once: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});
if (values.json && !values.once) {
  console.error("--json goes with --once: npm run demo -- --once --json");
  process.exit(2);
}

const say = values.json ? () => {} : console.log;
const cleanUps: (() => void | Promise<void>)[] = [];

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    cleanUp().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

try {
  await demo();
} finally {
  if (values.once) await cleanUp();
}

async function demo(): Promise<void> {
  say("Starting a stand-in for SignalWire, and the Worker on workerd …");
  const credentials_key = randomBytes(32).toString("base64");
  const admin_token = randomBytes(16).toString("hex");
  const [carrier, voicemail, worker] = await Promise.all([
    kept(startCarrierProcess()),
    kept(startVoicemail()),
    kept(startWorker({ CREDENTIALS_KEY: credentials_key, ADMIN_TOKEN: admin_token })),
  ]);
  const staged = await stageTenants({
    carrier,
    worker,
    credentials_key,
    admin_token,
    voicemail_url: voicemail.url,
  });
  say("Placing calls; the slow ones ring, wait for an announcement or for a RELAY that is gone …\n");
  const played = await Promise.all(staged.map((tenant) => playTenant(worker.log, tenant)));
  const calls = played.flatMap((tenant) => tenant.calls);
  if (values.json) for (const call of calls) console.log(JSON.stringify(rowOf(call)));
  else say(tableOf(calls));
  const operated = staged.find(({ tenant }) => tenant === floor.tenant);
  const done = operated ? await operate(operated) : [];
  say(`\n${deedsTable(done)}`);
  const noted = operated ? await operated.carrier.journal({ kind: "violation" }) : [];
  judge(calls, done, [...played.flatMap((tenant) => tenant.violations), ...noted]);
  if (values.once) return;
  // Calls of one's own meet a healthy SignalWire.
  await Promise.all(staged.map(({ carrier: project }) => project.change({ faults: [] })));
  const [first] = staged;
  if (first) say(invitation(staged, variablesOf(first, carrier.control, admin_token)));
  showLog(worker.log);
}

/** Complaints go to stderr and decide the exit code. */
function judge(
  calls: readonly Played[],
  done: readonly Done[],
  violations: readonly Record<string, unknown>[],
): void {
  const complaints = [
    ...calls.flatMap(complaintsOf),
    ...done.flatMap(({ complaint }) => complaint ?? []),
    ...violations.map((violation) => `the carrier noted a violation: ${JSON.stringify(violation)}`),
  ];
  for (const complaint of complaints) console.error(complaint);
  if (complaints.length > 0) process.exitCode = 1;
  else
    say(`\nAll ${calls.length} calls are where their rules say, and all that the operator did was verified.`);
}

/** Prints what is logged from now on. */
function showLog(log: WorkerLog): void {
  log.watch(() => console.log(log.lines.at(-1)));
}

/** Remembers to stop what was started. */
async function kept<T extends { stop(): void | Promise<void> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  cleanUps.push(() => started.stop());
  return started;
}

async function cleanUp(): Promise<void> {
  await Promise.allSettled(cleanUps.splice(0).map(async (stop) => await stop()));
}
