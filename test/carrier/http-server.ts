import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { withoutSecrets } from "./journal.ts";

/** No request to the carrier is larger. */
const body_limit = 4 * 1024 * 1024;

export interface WebRequest {
  readonly method: string;
  readonly url: URL;
  /** The path's parts, decoded. */
  readonly path: readonly string[];
  readonly authorization: string | null;
  /** The header of that name. */
  readonly range: string | null;
  readonly body: string;
}

/** `text`: JSON that is no longer whole. `bytes`: what is no JSON, as its headers say. `cut`: the connection is dropped without an answer. */
export type WebAnswer =
  | {
      readonly status: number;
      readonly json?: unknown;
      readonly text?: string;
      readonly bytes?: Uint8Array;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly cut: true };

export function httpServer(handle: (request: WebRequest) => Promise<WebAnswer>): Server {
  return createServer((incoming, outgoing) => {
    serve(handle, incoming, outgoing).catch((error: unknown) => {
      // A bug of the carrier's: it must be seen, in the answer and on its terminal.
      console.error(error);
      reply(outgoing, { status: 500, json: { error: String(error) } });
    });
  });
}

async function serve(
  handle: (request: WebRequest) => Promise<WebAnswer>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > body_limit) {
      reply(outgoing, { status: 413, json: { error: `the body is over ${body_limit} bytes` } });
      return;
    }
    chunks.push(bytes);
  }
  const url = new URL(incoming.url ?? "/", `http://${incoming.headers.host ?? "carrier"}`);
  const answer = await handle({
    method: incoming.method ?? "GET",
    url,
    path: url.pathname.split("/").slice(1).map(decoded),
    authorization: incoming.headers.authorization ?? null,
    range: incoming.headers.range ?? null,
    body: Buffer.concat(chunks).toString("utf8"),
  });
  if ("cut" in answer) incoming.socket.destroy();
  else reply(outgoing, answer);
}

function reply(outgoing: ServerResponse, answer: Exclude<WebAnswer, { cut: true }>): void {
  if (outgoing.headersSent) return;
  const { status, json, headers } = answer;
  if (answer.bytes !== undefined) {
    outgoing.writeHead(status, { "content-length": answer.bytes.byteLength, ...headers }).end(answer.bytes);
    return;
  }
  const text = answer.text ?? (json === undefined ? undefined : JSON.stringify(json));
  if (text === undefined) outgoing.writeHead(status, headers).end();
  else outgoing.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
}

/** An answer whose journal entries or frames show no secret. */
export function redacted(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json, withoutSecrets));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
