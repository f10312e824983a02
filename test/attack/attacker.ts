import { setTimeout as wait } from "node:timers/promises";
import type { Stage } from "./environment.ts";
import { type Input, isAuthentic, requestOf } from "./inputs.ts";
import { type Fault, faultsOf, logFaults } from "./judge.ts";
import { type Answer, Wire } from "./wire.ts";

/** Requests under way at a time. */
const SIDE_BY_SIDE = 16;
/** What was asked is in the log within this. */
const LOGGED_MS = 5_000;

/** A fault, and what showed it; null: several together, or the time alone. */
export interface Found extends Fault {
  input: Input | null;
}

/** Sends inputs, judges answers and log, and counts. */
export class Attacker {
  readonly stage: Stage;
  readonly by_route: Record<string, number> = {};
  readonly by_status: Record<string, number> = {};
  readonly ms: number[] = [];
  readonly #wire: Wire;
  #asked = 0;

  constructor(stage: Stage) {
    this.stage = stage;
    this.#wire = new Wire(stage.worker.url);
  }

  async send(input: Input): Promise<{ answer: Answer; found: Found[] }> {
    const answer = await this.#wire.send(requestOf(this.stage, input));
    this.by_route[input.route] = (this.by_route[input.route] ?? 0) + 1;
    this.by_status[answer.status] = (this.by_status[answer.status] ?? 0) + 1;
    this.ms.push(answer.ms);
    const authentic = isAuthentic(input, this.stage.tenants);
    const faults = faultsOf(input, answer, authentic, this.stage.canaries);
    return { answer, found: faults.map((fault) => ({ ...fault, input })) };
  }

  /** All of them, so many at a time; what is wrong with the answers, and with what was logged meanwhile. */
  async volley(inputs: readonly Input[]): Promise<{ answers: Found[]; logged: Fault[] }> {
    const logged_before = this.stage.log.length;
    const answers: Found[] = [];
    const left = inputs.values();
    const sendOn = async () => {
      for (const input of left) answers.push(...(await this.send(input)).found);
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, sendOn));
    await this.logIsWritten();
    const lines = this.stage.log.slice(logged_before);
    return { answers, logged: lines.flatMap((line) => logFaults(line, this.stage.canaries)) };
  }

  /** Until the log has what was answered before: it comes by another way than answers do. */
  async logIsWritten(): Promise<void> {
    this.#asked += 1;
    const name = `the-log-${this.#asked}`;
    const already = this.stage.log.length;
    await fetch(`${this.stage.worker.url}/hooks/${name}/swml`, { method: "POST" });
    for (const until = Date.now() + LOGGED_MS; Date.now() < until; await wait(5)) {
      if (this.stage.log.slice(already).some((line) => line.includes(`"${name}"`))) return;
    }
    throw new Error("the Worker does not log any more");
  }

  close(): void {
    this.#wire.close();
  }
}
