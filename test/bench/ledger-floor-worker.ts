import { driveAsAsked, joining } from "./drive.ts";
import { type CallIds, RelaySession as Floor, type FloorEnv } from "./floor-worker.ts";

interface LedgerEnv extends Omit<FloorEnv, "RELAY_SESSION"> {
  RELAY_SESSION: DurableObjectNamespace<RelaySession>;
}

/** The smallest session that keeps a ledger: one row for a command, in the turn in which it is sent. */
export class RelaySession extends Floor {
  constructor(ctx: DurableObjectState, env: FloorEnv) {
    super(ctx, env);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS ledger (call_id TEXT PRIMARY KEY, room TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    );
  }

  async join(command: CallIds & { name: string }): Promise<void> {
    const socket = await this.connected();
    this.ctx.storage.sql.exec(
      "INSERT INTO ledger (call_id, room, at) VALUES (?, ?, ?)",
      command.call_id,
      command.name,
      Date.now(),
    );
    await this.ask(socket, "calling.join_conference", command);
  }
}

export default {
  async fetch(request, env) {
    return await driveAsAsked(request, async (index) => {
      const { join, ...ids } = joining(index, "floor");
      await env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName("floor")).join({ ...ids, ...join });
    });
  },
} satisfies ExportedHandler<LedgerEnv>;
