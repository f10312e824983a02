import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it came, so that it can come again. */
export interface Received {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** Headers of one connection; the connection behind us has its own. */
const HOP = new Set(["connection", "content-length", "host", "keep-alive", "transfer-encoding"]);

/**
 * Front — the one address under which SignalWire reaches whichever version serves now. Requests that come while none does are
 * held, as a deploy holds them. Used by `Stage`.
 */
export class Front {
  readonly url: string;
  /** Every webhook and callback so far, oldest first. */
  readonly received: Received[] = [];
  readonly #close: () => Promise<void>;
  #worker: Promise<string>;
  #serve: (url: string) => void;
  readonly #underWay = new Set<Promise<void>>();

  static async open(): Promise<Front> {
    let front: Front | null = null;
    const server = createServer((incoming, outgoing) => front?.take(incoming, outgoing));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo; // A TCP server's address is never a path.
    front = new Front(`http://127.0.0.1:${port}`, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return front;
  }

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#worker = promise;
    this.#serve = resolve;
  }

  /** What is held, and what comes from now on, goes to the Worker at this URL. */
  serveBy(url: string): void {
    this.#serve(url);
  }

  /** Holds what comes from now on; resolves when what came before is answered. */
  async hold(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#worker = promise;
    this.#serve = resolve;
    await Promise.all(this.#underWay);
  }

  /** Sends a request on to the Worker, whether it came now or came before. */
  async pass({ method, path, headers, body }: Received): Promise<Response> {
    const url = new URL(path, await this.#worker);
    return await fetch(url, { method, headers, ...(body === "" ? {} : { body }), redirect: "manual" });
  }

  async close(): Promise<void> {
    await this.#close();
  }

  take(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const answered = this.#answer(incoming, outgoing).catch(() => void outgoing.writeHead(502).end());
    // What is held is not under way: nothing would answer it while its turn is waited for.
    void this.#worker.then(() => {
      this.#underWay.add(answered);
      void answered.finally(() => this.#underWay.delete(answered));
    });
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    const request = {
      method: incoming.method ?? "GET",
      path: incoming.url ?? "/",
      headers: endToEnd(incoming.headers),
      body: Buffer.concat(chunks).toString("utf8"),
    };
    if (request.path.startsWith("/hooks/")) this.received.push(request);
    const response = await this.pass(request);
    outgoing.writeHead(response.status, { "content-type": response.headers.get("content-type") ?? "" });
    outgoing.end(await response.text());
  }
}

function endToEnd(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === "string" && !HOP.has(name) ? [[name, value]] : [],
    ),
  );
}
