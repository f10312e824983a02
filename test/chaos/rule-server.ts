import { createServer } from "node:http";
import { type LocalServer, serveLocally } from "../local-server.ts";

/** A tenant's own server, which its rules want told of recordings. */
export interface RuleServer extends LocalServer {
  /** The bodies of what it was told. */
  told: string[];
}

export async function startRuleServer(): Promise<RuleServer> {
  const told: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      told.push(Buffer.concat(chunks).toString("utf8"));
      response.writeHead(204).end();
    });
  });
  return { ...(await serveLocally(server)), told };
}
