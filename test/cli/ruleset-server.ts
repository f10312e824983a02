import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

export interface Reply {
  status?: number;
  etag?: string;
  body?: unknown;
}

export interface Asked {
  method: string | undefined;
  url: string | undefined;
  authorization: string | undefined;
  if_match: string | undefined;
  if_none_match: string | undefined;
  /** Who writes, by its own word. */
  by: string | undefined;
  body: string;
}

/** A Worker that answers `GET` and `PUT` each with what it is told, and keeps what it was asked. */
export function serveRuleset(replies: { get: Reply; put?: Reply }) {
  return serveApi((method) => (method === "GET" ? replies.get : replies.put));
}

/** A Worker that answers by method and path, as in `GET /api/tenants`; of several replies to one the next each time, then the last. */
export function serveRoutes(routes: Record<string, Reply | readonly Reply[]>) {
  const times = new Map<string, number>();
  return serveApi((method, url) => {
    const key = `${method} ${url}`;
    const replies = [routes[key] ?? []].flat();
    const time = times.get(key) ?? 0;
    times.set(key, time + 1);
    return replies[Math.min(time, replies.length - 1)];
  });
}

async function serveApi(replyTo: (method: string, url: string) => Reply | undefined) {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { method, url, headers } = request;
    text(request).then(
      (body) => {
        const { authorization, "if-match": if_match, "if-none-match": if_none_match } = headers;
        const by = [headers["x-partyline-by"]].flat()[0];
        asked.push({ method, url, authorization, if_match, if_none_match, by, body });
        const {
          status = 200,
          etag,
          body: said,
        } = replyTo(method ?? "", url ?? "") ?? { status: 500, body: {} };
        response.writeHead(status, {
          "content-type": "application/json",
          ...(etag === undefined ? {} : { etag }),
        });
        response.end(said === undefined ? undefined : JSON.stringify(said));
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
