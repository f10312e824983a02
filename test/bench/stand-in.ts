import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { child } from "./children.ts";
import type { Asked, Counts, Told } from "./relay-stand-in.ts";

/** How long the last acks may take to arrive, ms. */
const ACKS_MS = 5_000;
/** How long a session may take to be back, or a flood to be acknowledged, ms. */
const TOLD_MS = 60_000;

export interface StandIn {
  relay_url: string;
  /** Once every event so far is acknowledged. Throws where that does not come to pass, or a frame came that should not. */
  settled(): Promise<Counts>;
  /** Cuts the session's socket; ms until a command is accepted on another. One question at a time. */
  cut(when: "at once" | "on a join"): Promise<number>;
  /** So many calls are in so many rooms from now on, as `fill` has them in a ledger. */
  settle(calls: number, rooms: number): Promise<Counts>;
  /** Tells of so many events at once; ms until the last is acknowledged. */
  flood(events: number): Promise<number>;
}

export async function startStandIn(): Promise<StandIn> {
  const running = fork(join(import.meta.dirname, "relay-stand-in.ts"));
  child(running);
  const [{ port }] = (await once(running, "message")) as [{ port: number }];
  const ask = async <T extends Told>(asked: Asked): Promise<T> => {
    running.send(asked);
    const [told] = (await once(running, "message", { signal: AbortSignal.timeout(TOLD_MS) })) as [T];
    return told;
  };
  const took = async (asked: Asked): Promise<number> => (await ask<{ took_ms: number }>(asked)).took_ms;
  return {
    relay_url: `ws://127.0.0.1:${port}`,
    async settled() {
      const until = Date.now() + ACKS_MS;
      let counts = await ask<Counts>({ ask: "counts" });
      while (counts.acks < counts.events && Date.now() < until) counts = await ask<Counts>({ ask: "counts" });
      if (counts.acks !== counts.events || counts.odd.length > 0) {
        throw new Error(`the RELAY stand-in saw what should not be: ${JSON.stringify(counts)}`);
      }
      return counts;
    },
    cut: (when) => took({ ask: "cut", when }),
    settle: (calls, rooms) => ask<Counts>({ ask: "settle", calls, rooms }),
    flood: (events) => took({ ask: "flood", events }),
  };
}
