import { Agent, request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { Request } from "./inputs.ts";

/** Longer than that no answer is waited for. */
const PATIENCE_MS = 20_000;
/** An answer that needs no body has come within this. */
const EARLY_MS = 200;
/** What a client sees of a server that answered before it had read the body, and closed. */
const CLOSED_EARLY = new Set(["EPIPE", "ECONNRESET"]);

export interface Answer {
  /** 0: there was none. */
  status: number;
  /** As they came, with their names. */
  headers: string;
  body: string;
  ms: number;
}

/** Requests written to the letter, which `fetch` would not do: it tidies paths and headers. */
export class Wire {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #port: number;

  constructor(worker_url: string) {
    this.#port = Number(new URL(worker_url).port);
  }

  async send(request: Request): Promise<Answer> {
    const began = performance.now();
    const answer = await this.#send(request, 0);
    // The answer may be lost with the connection: before the body is sent there is time to read it.
    const isLost = "closed_early" in answer && request.body.length > 0;
    const { status, headers, body } = isLost ? await this.#send(request, EARLY_MS) : answer;
    return { status, headers, body, ms: performance.now() - began };
  }

  /** @param early_ms how long an answer is waited for before the body is sent. */
  async #send(
    { method, path, headers, body }: Request,
    early_ms: number,
  ): Promise<Omit<Answer, "ms"> & { closed_early?: true }> {
    const given = Promise.withResolvers<Omit<Answer, "ms"> & { closed_early?: true }>();
    let isAnswered = false;
    const fail = (error: NodeJS.ErrnoException) =>
      given.resolve({
        status: 0,
        headers: "",
        body: error.message,
        ...(CLOSED_EARLY.has(error.code ?? "") ? { closed_early: true as const } : {}),
      });
    const hasBody = body.length > 0;
    // Each name stands once here, with all its values: Node sends them one by one.
    const named = new Map<string, [string, string[]]>();
    const lengths: [string, string][] = hasBody ? [["content-length", String(body.length)]] : [];
    for (const [name, value] of [...headers, ...lengths]) {
      const [, values] = named.get(name.toLowerCase()) ?? [name, []];
      named.set(name.toLowerCase(), [name, [...values, value]]);
    }
    try {
      const outgoing = request({
        host: "127.0.0.1",
        port: this.#port,
        agent: this.#agent,
        method,
        path,
        timeout: PATIENCE_MS,
        setDefaultHeaders: true,
      });
      for (const [name, values] of named.values())
        outgoing.setHeader(name, values.length === 1 ? (values[0] ?? "") : values);
      outgoing.on("response", (response) => {
        isAnswered = true;
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", fail);
        response.on("end", () =>
          given.resolve({
            status: response.statusCode ?? 0,
            headers: response.rawHeaders.join("\n"),
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${PATIENCE_MS / 1_000} s`)));
      // Once it answers, the rest of the body is of no use to the server.
      outgoing.on("error", (error) => {
        if (!isAnswered) fail(error);
      });
      if (early_ms > 0) {
        outgoing.flushHeaders();
        await Promise.race([given.promise, wait(early_ms)]);
      }
      if (!isAnswered) outgoing.end(body);
      const answer = await given.promise;
      if (!outgoing.writableEnded) outgoing.destroy();
      return answer;
    } catch (error) {
      // What Node's client does not send, no client does.
      return { status: UNSENDABLE, headers: "", body: String(error) };
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** In place of a status: the client refused to write such a request. */
export const UNSENDABLE = -1;
