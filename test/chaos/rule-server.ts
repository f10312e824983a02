import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A tenant's own server, which its rules want told of recordings. */
export interface RuleServer {
  url: string;
  /** The bodies of what it was told. */
  told: string[];
  stop(): void;
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
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A TCP server's address is never a path.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    told,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
