import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

interface Reply {
  status?: number;
  etag?: string;
  body: unknown;
}

export interface Asked {
  method: string | undefined;
  url: string | undefined;
  authorization: string | undefined;
  if_match: string | undefined;
  if_none_match: string | undefined;
  body: string;
}

/** A Worker that answers `GET` and `PUT` each with what it is told, and keeps what it was asked. */
export async function serveRuleset(replies: { get: Reply; put?: Reply }) {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { method, url, headers } = request;
    text(request).then(
      (body) => {
        const { authorization, "if-match": if_match, "if-none-match": if_none_match } = headers;
        asked.push({ method, url, authorization, if_match, if_none_match, body });
        const reply = method === "GET" ? replies.get : replies.put;
        const { status = 200, etag, body: said } = reply ?? { status: 500, body: {} };
        response.writeHead(status, {
          "content-type": "application/json",
          ...(etag === undefined ? {} : { etag }),
        });
        response.end(JSON.stringify(said));
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    asked,
    origin: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function refused(code: string, message: string, status: number): Reply {
  return { status, body: { error: { code, message } } };
}
