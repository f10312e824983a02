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

/** What goes back: JSON, or a text under its type. */
export interface Reply {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly content_type?: string;
}

/** A web server for the carrier's webhooks: answers what `respond` says, and keeps what it was sent. */
export async function startWebStub(
  respond: (received: Received) => Reply | Promise<Reply>,
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
        ({ status = 200, json = {}, text, content_type = "application/json" }) => {
          outgoing.writeHead(status, { "content-type": content_type });
          outgoing.end(text ?? JSON.stringify(json));
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

/** A cXML document of these verbs. */
export function cxml(verbs: string): Reply {
  return { text: `<Response>${verbs}</Response>`, content_type: "text/xml" };
}
