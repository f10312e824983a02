import { DurableObject } from "cloudflare:workers";
import { accepted } from "./wire.ts";

/**
 * The floor: what a placement costs where nothing is checked, decided, kept or told. It parses the webhook, asks its
 * Durable Object, and that makes the same two round trips on an open socket and acknowledges the same events.
 */
export interface FloorEnv {
  RELAY_SESSION: DurableObjectNamespace<RelaySession>;
  RELAY_URL: string;
}

export interface CallIds {
  call_id: string;
  node_id: string;
}

interface Frame {
  id: string;
  method?: string;
  params?: { event_type: string; params: CallIds };
}

export class RelaySession extends DurableObject<FloorEnv> {
  /** Whose calls are asked for. */
  protected readonly contexts: readonly string[] = [];
  readonly #answered = new Map<string, () => void>();
  #socket: Promise<WebSocket> | null = null;
  #ids = 0;

  async place(call: CallIds): Promise<void> {
    const socket = await this.connected();
    await this.answerAndJoin(socket, call);
  }

  protected async answerAndJoin(socket: WebSocket, call: CallIds): Promise<void> {
    await this.ask(socket, "calling.answer", call);
    await this.ask(socket, "calling.join_conference", { ...call, name: "acme:floor" });
  }

  protected connected(): Promise<WebSocket> {
    this.#socket ??= this.#open();
    return this.#socket;
  }

  /** @param _event_type of the event, and the call that it tells of. */
  protected acknowledge(socket: WebSocket, id: string, _call: CallIds, _event_type: string): void {
    socket.send(`{"jsonrpc":"2.0","id":"${id}","result":{}}`);
  }

  protected ask(socket: WebSocket, method: string, params: object): Promise<void> {
    this.#ids += 1;
    const id = String(this.#ids);
    return new Promise((resolve) => {
      this.#answered.set(id, resolve);
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  async #open(): Promise<WebSocket> {
    const { webSocket } = await fetch(this.env.RELAY_URL, { headers: { upgrade: "websocket" } });
    if (!webSocket) throw new Error("the RELAY stand-in took no WebSocket");
    webSocket.accept();
    webSocket.addEventListener("close", () => {
      this.#socket = null;
    });
    webSocket.addEventListener("message", ({ data }) => {
      const { id, method, params } = JSON.parse(String(data)) as Frame;
      if (method !== undefined && params)
        return this.acknowledge(webSocket, id, params.params, params.event_type);
      this.#answered.get(id)?.();
      this.#answered.delete(id);
    });
    await this.ask(webSocket, "signalwire.connect", { contexts: this.contexts });
    return webSocket;
  }
}

export default {
  async fetch(request, env) {
    const { call } = await request.json<{ call: CallIds }>();
    await env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName("floor")).place(call);
    return new Response(accepted, { headers: { "content-type": "application/json" } });
  },
} satisfies ExportedHandler<FloorEnv>;
