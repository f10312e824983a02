import { setTimeout as wait } from "node:timers/promises";
import type { Call } from "../carrier/calls.ts";
import { RelayConnection } from "../carrier/relay-connection.ts";
import type { PlannedDial } from "./dials.ts";
import { ADMIN_TOKEN, type Staged } from "./environment.ts";

/** An operator whom the API does not answer asks again after this. */
const AGAIN_MS = 1_000;
const LOOK_MS = 250;
/** How often it is asked in the end what became of a dial: RELAY may be coming back yet. */
const TRIES = 20;
const NOT_MADE = new Set(["queued", "sending"]);

/** What came of one dial. */
export interface Dialled {
  planned: PlannedDial;
  /** The API took it. */
  taken: boolean;
  /** How it stands in the end, by the API; null: it knows no such dial. */
  state: string | null;
  /** Whether the project's client is connected then: what waits for its turn waits for that. */
  connected: boolean;
  /** The legs that the carrier has made for it. */
  legs: readonly Call[];
  /** When the callee hung up, by call id. */
  hung_up: ReadonlyMap<string, number>;
}

/** Has people called over the API, as an operator would who asks again until there is an answer; and plays the callees. */
export class Dialling {
  readonly #staged: Staged;
  readonly #worker_url: string;
  readonly #over = new AbortController();
  readonly #taken = new Set<PlannedDial>();
  readonly #hung_up = new Map<string, number>();
  readonly #under_way = new Set<Promise<void>>();

  constructor(staged: Staged, worker_url: string) {
    this.#staged = staged;
    this.#worker_url = worker_url;
  }

  ask(planned: PlannedDial): void {
    const project = this.#staged.projects[planned.project];
    project?.phones.set(planned.to, planned.phone);
    this.#under_way.add(this.#make(planned));
    this.#under_way.add(this.#answer(planned));
  }

  async stop(): Promise<Dialled[]> {
    this.#over.abort();
    await Promise.all(this.#under_way);
    return await Promise.all(
      this.#staged.plan.dials.map(async (planned) => ({
        planned,
        taken: this.#taken.has(planned),
        state: await this.#stateOf(planned),
        connected: this.#isConnected(planned),
        legs: this.#legsOf(planned),
        hung_up: this.#hung_up,
      })),
    );
  }

  async #make(planned: PlannedDial): Promise<void> {
    const { tenant, room, to, id, timeout_s } = planned;
    const path = `tenants/${tenant}/conferences/${room}/participants`;
    const body = JSON.stringify({ to, id, timeout_s });
    while (!this.#over.signal.aborted) {
      const answer = await this.#api(path, { method: "POST", body });
      if (answer?.ok) {
        this.#taken.add(planned);
        return;
      }
      await this.#pause(AGAIN_MS);
    }
  }

  async #answer(planned: PlannedDial): Promise<void> {
    const { hangs_up_ms } = planned;
    if (hangs_up_ms === null) return;
    while (!this.#over.signal.aborted) {
      const joined = this.#legsOf(planned).find(({ joins }) => joins.length > 0);
      await this.#pause(joined ? hangs_up_ms : LOOK_MS);
      if (!joined || this.#over.signal.aborted) continue;
      if (joined.over) return;
      this.#hung_up.set(joined.call_id, Date.now());
      joined.hangUp("hangup");
      return;
    }
  }

  #isConnected({ project }: PlannedDial): boolean {
    const sessions = this.#staged.projects[project]?.sessions.values() ?? [];
    return [...sessions].some(({ link }) => link instanceof RelayConnection);
  }

  #legsOf({ project, to }: PlannedDial): Call[] {
    const calls = this.#staged.projects[project]?.calls.values() ?? [];
    return [...calls].filter(({ origin, facts }) => origin === "dial" && facts.to === to);
  }

  async #stateOf({ tenant, id }: PlannedDial): Promise<string | null> {
    for (let tried = 1; ; tried += 1) {
      const answer = await this.#api(`tenants/${tenant}/dials/${id}`, {});
      const { state } = answer?.ok ? ((await answer.json()) as { state: string }) : { state: null }; // As the API documents it.
      if (tried === TRIES || answer?.status === 404) return state;
      if (state !== null && !NOT_MADE.has(state)) return state;
      await wait(AGAIN_MS);
    }
  }

  /** Null where nobody answers: the session may be made to vanish just then. */
  async #api(path: string, init: RequestInit): Promise<Response | null> {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
    return await fetch(`${this.#worker_url}/api/${path}`, { ...init, headers }).catch(() => null);
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#over.signal }).catch(() => {});
  }
}
