import { once } from "node:events";
import { join } from "node:path";
import { unstable_startWorker } from "wrangler";
import { WorkerLog } from "./worker-log.ts";

export interface RunningWorker {
  /** Where it listens, without a slash at the end. */
  url: string;
  log: WorkerLog;
  /** Puts a value into the KV namespace `DIRECTORY`. */
  put(key: string, value: string): Promise<void>;
  stop(): Promise<void>;
}

/** The Worker as wrangler.toml has it, on workerd and a free port; its storage goes with it. */
export async function startWorker(secrets: Record<string, string>): Promise<RunningWorker> {
  // Both would go out to the network, and the first writes to stdout when it can't.
  Object.assign(process.env, { CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false" });
  const log = new WorkerLog();
  // Wrangler's test harness is the stable way, but what its Worker fetches goes through Node, which opens no WebSocket.
  const worker = await unstable_startWorker({
    config: join(import.meta.dirname, "../../wrangler.toml"),
    envFiles: [],
    bindings: Object.fromEntries(
      Object.entries(secrets).map(([name, value]) => [name, { type: "secret_text" as const, value }]),
    ),
    dev: {
      server: { hostname: "127.0.0.1", port: 0 },
      logLevel: "error",
      watch: false,
      persist: false,
      inspector: false,
      structuredLogsHandler: ({ message }: { message: string }) => log.add(message),
    },
  });
  const directory = await directoryOf(worker).catch(async (error: unknown) => {
    // What is left behind would keep our output open.
    await worker.dispose();
    throw error;
  });
  const url = await worker.url;
  return {
    url: url.origin,
    log,
    put: (key, value) => directory.put(key, value),
    stop: () => worker.dispose(),
  };
}

type StartedWorker = Awaited<ReturnType<typeof unstable_startWorker>>;

/** The namespace that the Worker reads, once the Worker is there. */
async function directoryOf({ raw }: StartedWorker) {
  const [runtime] = raw.runtimes;
  if (runtime !== undefined && runtime.mf === undefined) await once(raw, "reloadComplete");
  if (runtime?.mf === undefined) throw new Error("wrangler started no local runtime");
  return await runtime.mf.getKVNamespace("DIRECTORY");
}
