import worker, { RelaySession as Session } from "../../functions/index.ts";

/** What a session did, in order: a statement, a frame that came (`in`) or one that went (`out`). */
export type Recorded = { sql: string; bindings: SqlStorageValue[] } | "in" | "out";

const recorded: Recorded[] = [];

/** Partyline with its SQL written down, so that the floor can be made to write the same. */
export class RelaySession extends Session {
  constructor(ctx: DurableObjectState, env: Env) {
    const { sql } = ctx.storage;
    const exec = sql.exec.bind(sql);
    sql.exec = (text, ...bindings) => {
      recorded.push({ sql: text, bindings });
      return exec(text, ...bindings);
    };
    super(ctx, env);
  }
}

const { send, addEventListener } = WebSocket.prototype;

WebSocket.prototype.send = function (...frame) {
  recorded.push("out");
  send.apply(this, frame);
};

const listen = addEventListener as (this: WebSocket, type: string, listener: unknown) => void; // Of any event.

WebSocket.prototype.addEventListener = function (this: WebSocket, type: string, listener: unknown) {
  if (type === "message") listen.call(this, type, () => recorded.push("in"));
  listen.call(this, type, listener);
};

export default {
  fetch(request, env, ctx) {
    if (request.method === "GET") return Response.json(recorded.splice(0));
    return worker.fetch(request, env, ctx);
  },
} satisfies ExportedHandler<Env>;
