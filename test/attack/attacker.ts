import { setTimeout as wait } from "node:timers/promises";
import type { Environment } from "./environment.ts";
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
  readonly environment: Environment;
  readonly by_route: Record<string, number> = {};
  readonly by_status: Record<string, number> = {};
  readonly ms: number[] = [];
  readonly #wire: Wire;
  #asked = 0;

  constructor(environment: Environment) {
    this.environment = environment;
    this.#wire = new Wire(environment.worker.url);
  }

  async send(input: Input): Promise<{ answer: Answer; found: Found[] }> {
    const answer = await this.#wire.send(requestOf(this.environment, input));
    this.by_route[input.route] = (this.by_route[input.route] ?? 0) + 1;
    this.by_status[answer.status] = (this.by_status[answer.status] ?? 0) + 1;
    this.ms.push(answer.ms);
    const authentic = isAuthentic(input, this.environment.tenants);
    const faults = faultsOf(input, answer, authentic, this.environment.canaries);
    return { answer, found: faults.map((fault) => ({ ...fault, input })) };
  }

  /** All of them, so many at a time; what is wrong with the answers, and with what was logged meanwhile. */
  async volley(inputs: readonly Input[]): Promise<{ answers: Found[]; logged: Fault[] }> {
    const logged_before = this.environment.log.length;
    const answers: Found[] = [];
    const left = inputs.values();
    const sendOn = async () => {
      for (const input of left) answers.push(...(await this.send(input)).found);
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, sendOn));
    await this.logIsWritten();
    const lines = this.environment.log.slice(logged_before);
    return { answers, logged: lines.flatMap((line) => logFaults(line, this.environment.canaries)) };
  }

  /** Until the log has what was answered before: it comes by another way than answers do. */
  async logIsWritten(): Promise<void> {
    this.#asked += 1;
    const name = `the-log-${this.#asked}`;
    const already = this.environment.log.length;
    await fetch(`${this.environment.worker.url}/hooks/${name}/swml`, { method: "POST" });
    for (const until = Date.now() + LOGGED_MS; Date.now() < until; await wait(5)) {
      if (this.environment.log.slice(already).some((line) => line.includes(`"${name}"`))) return;
    }
    throw new Error("the Worker does not log any more");
  }

  close(): void {
    this.#wire.close();
  }
}
