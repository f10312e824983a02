import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebStub {
  readonly url: string;
  readonly received: Received[];
  close(): void;
}

/** A web server for the carrier's webhooks: answers what `respond` says, as JSON, and keeps what it was sent. */
export async function startWebStub(
  respond: (received: Received) => { status?: number; json?: unknown } | Promise<{ json?: unknown }>,
): Promise<WebStub> {
  const received: Received[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "", url: path = "", headers } = incoming;
      const one = { method, path, headers, body: Buffer.concat(chunks).toString("utf8") };
      received.push(one);
      Promise.resolve(respond(one)).then(
        (answer) => {
          const status = "status" in answer ? answer.status : undefined;
          outgoing.writeHead(status ?? 200, { "content-type": "application/json" });
          outgoing.end(JSON.stringify(answer.json ?? {}));
        },
        () => outgoing.destroy(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A TCP server's address is never a path.
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, received, close };
}

/** A document of these steps. */
export function swml(...main: unknown[]): { json: unknown } {
  return { json: { version: "1.0.0", sections: { main } } };
}
