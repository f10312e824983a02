import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const children = new Set<ChildProcess>();
const folders = new Set<string>();
/** Of Linux's tmpfs, as statfs gives it. */
const TMPFS = 0x01021994;

/** Sees to it that the process ends when we do, however that comes about. */
export function child(started: ChildProcess): ChildProcess {
  children.add(started);
  started.once("exit", () => children.delete(started));
  return started;
}

/** An empty folder that is gone when we are: in memory where the system has such a place. */
export function temporaryFolder(): { folder: string; in_memory: boolean } {
  const parent = [`/dev/shm`, tmpdir()].find(isMemory) ?? tmpdir();
  const folder = mkdtempSync(join(parent, "partyline-bench-"));
  folders.add(folder);
  return { folder, in_memory: isMemory(parent) };
}

function isMemory(path: string): boolean {
  try {
    return statfsSync(path).type === TMPFS;
  } catch {
    return false;
  }
}

process.once("exit", () => {
  for (const started of children) started.kill("SIGKILL");
  // What was just killed may write for a moment yet.
  for (const folder of folders)
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
