import type { WebSocket } from "ws";
import * as z from "zod";
import type { HttpAnswer, HttpRequest } from "./transport.ts";

const answerSchema = z.object({
  id: z.number().int(),
  status: z.number().int(),
  headers: z.record(z.string(), z.string()),
  body: z.base64(),
});

/** Carries webhooks to a test that has no port to be reached at, over a WebSocket which the test opened. */
export class Tunnel {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { answered(answer: HttpAnswer): void; failed(error: Error): void }>();
  #sent = 0;

  constructor(socket: WebSocket, closed: () => void) {
    this.#socket = socket;
    socket.on("message", (data) => this.#onAnswer(String(data)));
    socket.on("error", () => socket.terminate());
    socket.on("close", () => {
      for (const { failed } of this.#waiting.values()) failed(new Error("the tunnel closed"));
      this.#waiting.clear();
      closed();
    });
  }

  send(request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer> {
    this.#sent += 1;
    const id = this.#sent;
    return new Promise((resolve, reject) => {
      const forget = () => {
        this.#waiting.delete(id);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", forget, { once: true });
      const settled = () => {
        this.#waiting.delete(id);
        signal?.removeEventListener("abort", forget);
      };
      this.#waiting.set(id, {
        answered: (answer) => {
          settled();
          resolve(answer);
        },
        failed: (error) => {
          settled();
          reject(error);
        },
      });
      const body = Buffer.from(request.body, "utf8").toString("base64");
      this.#socket.send(JSON.stringify({ ...request, id, body }));
    });
  }

  close(): void {
    this.#socket.close();
  }

  #onAnswer(text: string): void {
    const answer = answerSchema.parse(JSON.parse(text));
    const body = Buffer.from(answer.body, "base64").toString("utf8");
    this.#waiting.get(answer.id)?.answered({ status: answer.status, headers: answer.headers, body });
  }
}
