import { migrate } from "../../functions/session/store/schema.ts";
import { type CallIds, RelaySession as Floor, type FloorEnv } from "./floor-worker.ts";
import type { Recorded } from "./recording-worker.ts";

export { default } from "./floor-worker.ts";

interface StorageEnv extends FloorEnv {
  /** One placement of Partyline's, recorded, and the id of its call. */
  RECORDED: { call_id: string; steps: Recorded[] };
}

/** The floor with Partyline's own SQL, at the places and in the turns in which Partyline runs it. */
export class RelaySession extends Floor {
  readonly #segments: Exclude<Recorded, string>[][] = [[]];
  readonly #call_id: string;

  constructor(ctx: DurableObjectState, env: StorageEnv) {
    super(ctx, env);
    migrate(ctx.storage);
    this.#call_id = env.RECORDED.call_id;
    for (const step of env.RECORDED.steps) {
      if (typeof step === "string") this.#segments.push([]);
      else this.#segments.at(-1)?.push(step);
    }
  }

  // A placement's frames: answer out, its result in, join out, its result in, the event in, its ack out.
  protected override async ask(socket: WebSocket, method: string, params: CallIds): Promise<void> {
    if (method === "signalwire.connect") return await super.ask(socket, method, params);
    const [before, after] = method === "calling.answer" ? ([0, 2] as const) : ([3, 4] as const);
    this.#run(before, params);
    await super.ask(socket, method, params);
    this.#run(after, params);
  }

  protected override acknowledge(socket: WebSocket, id: string, call: CallIds, event_type: string): void {
    this.#run(5, call);
    super.acknowledge(socket, id, call, event_type);
    this.#run(6, call);
  }

  #run(segment: number, { call_id }: CallIds): void {
    for (const { sql, bindings } of this.#segments[segment] ?? []) {
      const values = bindings.map((value) =>
        typeof value === "string" ? value.replace(this.#call_id, call_id) : value,
      );
      this.ctx.storage.sql.exec(sql, ...values).toArray();
    }
  }
}
