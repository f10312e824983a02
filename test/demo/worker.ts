import { fileURLToPath } from "node:url";
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
    config: fileURLToPath(new URL("../../wrangler.toml", import.meta.url)),
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
      structuredLogsHandler: ({ message }) => log.add(message),
    },
  });
  const url = await worker.url;
  const miniflare = worker.raw.runtimes[0]?.mf;
  if (miniflare === undefined) throw new Error("wrangler started no local runtime");
  const directory = await miniflare.getKVNamespace("DIRECTORY");
  return {
    url: url.origin,
    log,
    put: (key, value) => directory.put(key, value),
    stop: () => worker.dispose(),
  };
}
