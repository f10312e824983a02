import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { child } from "./children.ts";

const root = join(import.meta.dirname, "../..");
const wrangler = createRequire(import.meta.url).resolve("wrangler/package.json");
/** The one that wrangler brings: what it names is the binary's path. */
const workerd = createRequire(wrangler)("workerd") as { default: string; version: string };

export const workerdVersion = workerd.version;

export const compatibilityDate =
  /^compatibility_date = "([0-9-]+)"$/m.exec(readFileSync(join(root, "wrangler.toml"), "utf8"))?.[1] ?? "";

/** Bundles an entry as `wrangler deploy` would, and gives the bundle's path. */
export async function bundle(folder: string, entry: string): Promise<string> {
  const out = join(folder, "bundles", basename(entry, ".ts"));
  const args = [
    "deploy",
    join(root, entry),
    "--dry-run",
    "--outdir",
    out,
    "--config",
    join(root, "wrangler.toml"),
  ];
  const process_ = child(
    spawn(process.execPath, [join(dirname(wrangler), "bin/wrangler.js"), ...args], {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  let said = "";
  for (const output of [process_.stdout, process_.stderr]) {
    output?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const code = await new Promise((resolve) => process_.once("close", resolve));
  if (code !== 0) throw new Error(`wrangler could not bundle ${entry}:\n${said}`);
  return join(out, `${basename(entry, ".ts")}.js`);
}

export interface Served {
  url: string;
  pid: number;
  /** Where its Durable Objects are kept. */
  storage: string;
  stop(): void;
  /** Resolves when the process is gone, and with it its hold on the storage. */
  ended: Promise<void>;
}

/**
 * Serves a bundle on a `workerd` of its own, its Durable Object's SQLite in a folder beside it unless `storage` names another.
 * `json` bindings and `kv` (what DIRECTORY holds) are put into files, so that no text needs escaping for Cap'n Proto.
 */
export async function serve(
  folder: string,
  name: string,
  script: string,
  given: {
    json?: Record<string, unknown>;
    text?: Record<string, string>;
    kv?: Record<string, string>;
    /** Of a workerd that has ended, whose Durable Objects this one takes over. */
    storage?: string;
    /** Told of every line that the Worker logs; without it they are thrown away. */
    said?: (line: string) => void;
  },
): Promise<Served> {
  const home = join(folder, name);
  const storage = given.storage ?? join(home, "storage");
  mkdirSync(home, { recursive: true });
  mkdirSync(storage, { recursive: true });
  copyFileSync(script, join(home, "worker.js"));
  copyFileSync(join(import.meta.dirname, "kv-worker.js"), join(home, "kv.js"));
  writeFileSync(join(home, "VALUES"), JSON.stringify(given.kv ?? {}));
  for (const [key, value] of Object.entries(given.text ?? {})) writeFileSync(join(home, key), value);
  for (const [key, value] of Object.entries(given.json ?? {}))
    writeFileSync(join(home, key), JSON.stringify(value));
  const bindings = [
    ...Object.keys(given.text ?? {}).map((key) => `(name = "${key}", text = embed "${key}")`),
    ...Object.keys(given.json ?? {}).map((key) => `(name = "${key}", json = embed "${key}")`),
    `(name = "DIRECTORY", kvNamespace = "kv")`,
    `(name = "RELAY_SESSION", durableObjectNamespace = "RelaySession")`,
  ];
  writeFileSync(join(home, "config.capnp"), config(storage, bindings));
  const running = child(
    spawn(workerd.default, ["serve", join(home, "config.capnp"), "--control-fd=3"], {
      stdio: ["ignore", given.said ? "pipe" : "ignore", given.said ? "pipe" : "inherit", "pipe"],
    }),
  );
  for (const output of [running.stdout, running.stderr]) {
    if (output && given.said) createInterface({ input: output }).on("line", given.said);
  }
  const ended = new Promise<void>((resolve) => running.once("exit", () => resolve()));
  const control = running.stdio[3] as Readable; // A pipe that we read, as asked for above.
  const port = await new Promise<number>((resolve, reject) => {
    running.once("exit", (code) =>
      reject(new Error(`workerd (${name}) ended with ${code} before it was ready`)),
    );
    createInterface({ input: control }).on("line", (line) => {
      const { event, port } = JSON.parse(line) as { event: string; port: number };
      if (event === "listen") resolve(port);
    });
  });
  const stop = () => void running.kill();
  return { url: `http://127.0.0.1:${port}`, pid: running.pid ?? 0, storage, stop, ended };
}

function config(storage: string, bindings: string[]): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "kv", worker = .kv),
    (name = "internet", network = (allow = ["public", "private"])),
    (name = "storage", disk = (path = ${JSON.stringify(storage)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "${compatibilityDate}",
  bindings = [${bindings.join(", ")}],
  durableObjectNamespaces = [(className = "RelaySession", uniqueKey = "bench", enableSql = true)],
  durableObjectStorage = (localDisk = "storage"),
);
const kv :Workerd.Worker = (
  modules = [(name = "kv", esModule = embed "kv.js")],
  compatibilityDate = "${compatibilityDate}",
  bindings = [(name = "VALUES", json = embed "VALUES")],
);
`;
}
