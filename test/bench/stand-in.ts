import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { child } from "./children.ts";
import type { Counts } from "./relay-stand-in.ts";

/** How long the last acks may take to arrive, ms. */
const ACKS_MS = 5_000;

export interface StandIn {
  relay_url: string;
  /** Once every event so far is acknowledged. Throws where that does not come to pass, or a frame came that should not. */
  settled(): Promise<Counts>;
}

export async function startStandIn(): Promise<StandIn> {
  const running = fork(join(import.meta.dirname, "relay-stand-in.ts"));
  child(running);
  const [{ port }] = (await once(running, "message")) as [{ port: number }];
  const ask = async (): Promise<Counts> => {
    running.send("counts");
    const [counts] = (await once(running, "message")) as [Counts];
    return counts;
  };
  return {
    relay_url: `ws://127.0.0.1:${port}`,
    async settled() {
      const until = Date.now() + ACKS_MS;
      let counts = await ask();
      while (counts.acks < counts.events && Date.now() < until) counts = await ask();
      if (counts.acks !== counts.events || counts.odd > 0 || counts.answers !== counts.joins) {
        throw new Error(`the RELAY stand-in saw what should not be: ${JSON.stringify(counts)}`);
      }
      return counts;
    },
  };
}
