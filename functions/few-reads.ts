import { CONNECTIONS, Slots } from "./slots.ts";
import { withTimeout } from "./timeout.ts";

/** A read, or a write, that takes longer gives its turn away. */
const READ_MS = 4_000;

/**
 * KV as a session reads it: one read at a time, which serves all who ask for the same key meanwhile. Many calls of a context may come at
 * one moment to an object that is new, and RELAY's connect or a command would wait behind their reads.
 */
export function fewReads(directory: KVNamespace): KVNamespace {
  const slots = new Slots(CONNECTIONS.kv);
  const underWay = new Map<string, Promise<string | null>>();
  const get = (key: string, options?: { cacheTtl: number }): Promise<string | null> => {
    const read =
      underWay.get(key) ??
      slots
        .run("question", () => withTimeout(READ_MS, directory.get(key, options)), { wait_ms: READ_MS })
        .finally(() => underWay.delete(key));
    underWay.set(key, read);
    return read;
  };
  const put = (key: string, text: string): Promise<void> =>
    slots.run("question", () => withTimeout(READ_MS, directory.put(key, text)), { wait_ms: READ_MS });
  // A session reads and writes single texts, and nothing else.
  return { get, put } as unknown as KVNamespace;
}
