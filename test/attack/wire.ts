import { Agent, request } from "node:http";
import type { Request } from "./inputs.ts";

/** Longer than that no answer is waited for. */
const PATIENCE_MS = 20_000;

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

  async send({ method, path, headers, body }: Request): Promise<Answer> {
    const began = performance.now();
    const given = Promise.withResolvers<Omit<Answer, "ms">>();
    const fail = (error: Error) => given.resolve({ status: 0, headers: "", body: error.message });
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
      outgoing.on("error", fail);
      outgoing.end(body);
    } catch (error) {
      // What Node's client does not send, no client does.
      given.resolve({ status: UNSENDABLE, headers: "", body: String(error) });
    }
    return { ...(await given.promise), ms: performance.now() - began };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** In place of a status: the client refused to write such a request. */
export const UNSENDABLE = -1;
