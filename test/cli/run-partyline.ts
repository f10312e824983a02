import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** What one run compiled the next need not: half of a short run's time. */
const compiled = { NODE_COMPILE_CACHE: join(tmpdir(), "partyline-compiled") };
const partyline = fileURLToPath(new URL("../../cli/partyline.ts", import.meta.url).href);

interface Run {
  args: string[];
  cwd?: string;
  env?: Record<string, string>;
  input?: string | Buffer;
}

/** Runs the command line in a process of its own, as a shell would, with no secret but those given. */
export async function runPartyline({ args, cwd, env = {}, input = "" }: Run) {
  const { ADMIN_TOKEN: _, CREDENTIALS_KEY: __, FORCE_COLOR: ___, ...rest } = process.env;
  const child = spawn(process.execPath, [partyline, ...args], { cwd, env: { ...rest, ...compiled, ...env } });
  // A command that looks at nothing of it may be gone before it is read.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { out, err, code };
}
