import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { project_id } from "./acme.ts";
import { child } from "./children.ts";
import type { Asked, Counts, Offered, Told, Wire } from "./relay-stand-in.ts";

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
  /** Offers so many calls on the context, so many of them at once, to a client that is connected. */
  offer(times: number, at_once: number): Promise<Offered>;
  /** So many calls a second on the context from now on, while a session is connected, and as many leave. */
  ring(per_s: number): Promise<Counts>;
  /** Kills a process as soon as its next acknowledgement, or its next join, is here. */
  killOn(frame: "ack" | "join", pid: number): void;
  /** What came over the wire since `ring`, or since this was asked last; once no session is connected any more. */
  wire(): Promise<Wire>;
  /** Calls that were offered end, leave their rooms, and that is acknowledged. */
  endOffered(): Promise<Counts>;
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
  const standIn: StandIn = {
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
    offer: (times, at_once) => ask<Offered>({ ask: "offer", times, at_once, project_id }),
    ring: (per_s) => ask<Counts>({ ask: "ring", per_s, project_id }),
    killOn: (on, pid) => void running.send({ ask: "kill", pid, on } satisfies Asked),
    wire: () => ask<Wire>({ ask: "wire" }),
    async endOffered() {
      await ask<Counts>({ ask: "end" });
      return await standIn.settled();
    },
  };
  return standIn;
}
