import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";
import { drive, joining } from "./drive.ts";

interface Frame {
  id: string;
  method?: string;
}

/** A RELAY client in Node that keeps nothing: the same frames on one socket of `ws`. */
export class BareClient {
  readonly #socket: WebSocket;
  readonly #answered = new Map<string, () => void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => {
      const { id, method } = JSON.parse(data.toString()) as Frame;
      if (method !== undefined) return socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: {} }));
      this.#answered.get(id)?.();
      this.#answered.delete(id);
    });
  }

  static async open(relay_url: string): Promise<BareClient> {
    const socket = new WebSocket(relay_url, { perMessageDeflate: false });
    await once(socket, "open");
    const client = new BareClient(socket);
    await client.#ask("signalwire.connect", {});
    return client;
  }

  async joins(times: number, at_once: number): Promise<void> {
    await drive(times, at_once, async (index) => {
      const { join, ...ids } = joining(index, "bare");
      await this.#ask("calling.join_conference", { ...ids, ...join });
    });
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string, params: object): Promise<void> {
    const id = randomUUID();
    return new Promise((resolve) => {
      this.#answered.set(id, resolve);
      this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }
}
