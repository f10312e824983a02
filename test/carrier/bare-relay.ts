import { randomUUID } from "node:crypto";
import { WebSocket } from "ws";

export type Frame = Record<string, unknown>;
export interface Answer {
  readonly result?: Record<string, unknown>;
  readonly error?: { code: number; message: string; data?: Record<string, unknown> };
}

/** A RELAY client with no will of its own: it sends what a test says, acknowledges events, and keeps every frame. */
export class BareRelay {
  readonly #socket: WebSocket;
  readonly frames: Frame[] = [];
  readonly #watchers = new Set<() => void>();
  closed = false;
  /** False: events are left unanswered. */
  acks = true;
  /** False: the server's other requests are. */
  answers = true;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => this.#onFrame(JSON.parse(String(data))));
    socket.on("error", () => socket.terminate());
    socket.on("close", () => {
      this.closed = true;
      this.#changed();
    });
  }

  static async open(relay: string): Promise<BareRelay> {
    const socket = new WebSocket(relay);
    const client = new BareRelay(socket);
    await client.#until(
      () => (socket.readyState === WebSocket.OPEN ? true : undefined),
      "the socket to open",
    );
    return client;
  }

  /** The frame as it is: nothing is added. */
  send(frame: unknown): void {
    this.#socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  async request(method: string, params: Record<string, unknown>, id: string = randomUUID()): Promise<Answer> {
    this.send({ jsonrpc: "2.0", id, method, params });
    return this.#until(
      () => this.frames.find((frame) => frame["id"] === id && !("method" in frame)),
      `an answer to ${method}`,
    );
  }

  connect(
    credentials: { project_id: string; token: string },
    more: Record<string, unknown> = {},
  ): Promise<Answer> {
    return this.request("signalwire.connect", {
      version: { major: 2, minor: 0, revision: 0 },
      agent: "bare",
      event_acks: true,
      authentication: { project: credentials.project_id, token: credentials.token },
      ...more,
    });
  }

  /** The inner params of the events of a type, in the order they came. */
  events(event_type: string): Record<string, unknown>[] {
    return this.frames.flatMap((frame) => {
      const { params } = frame;
      if (frame["method"] !== "signalwire.event" || typeof params !== "object" || params === null) return [];
      const body = new Map<string, unknown>(Object.entries(params));
      const inner = body.get("params");
      return body.get("event_type") === event_type && typeof inner === "object" && inner !== null
        ? [{ ...inner }]
        : [];
    });
  }

  /** The first event of a type for which `fits` holds, when it has come. */
  event(
    event_type: string,
    fits: (params: Record<string, unknown>) => boolean = () => true,
  ): Promise<Record<string, unknown>> {
    return this.#until(() => this.events(event_type).find(fits), `an event ${event_type}`);
  }

  frame(fits: (frame: Frame) => boolean): Promise<Frame> {
    return this.#until(() => this.frames.find(fits), "a frame");
  }

  whenClosed(): Promise<true> {
    return this.#until(() => (this.closed ? true : undefined), "the socket to close");
  }

  close(): void {
    this.#socket.close();
  }

  #onFrame(frame: Frame): void {
    this.frames.push(frame);
    if ("method" in frame && (frame["method"] === "signalwire.event" ? this.acks : this.answers)) {
      this.send({ jsonrpc: "2.0", id: frame["id"], result: {} });
    }
    this.#changed();
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #until<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = look();
        if (found !== undefined) done(() => resolve(found));
        else if (this.closed) done(() => reject(new Error(`the socket closed while waiting for ${what}`)));
      };
      const timer = setTimeout(
        () =>
          done(() => reject(new Error(`${what} did not come; there came ${JSON.stringify(this.frames)}`))),
        4000,
      );
      const done = (settle: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        this.#socket.off("open", check);
        settle();
      };
      this.#watchers.add(check);
      this.#socket.on("open", check);
      check();
    });
  }
}
