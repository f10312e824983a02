import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Where a server of ours is reached, and how to stop it: calls that are under way are cut. */
export interface LocalServer {
  url: string;
  stop(): void;
}

/** Starts the server on a free port of this machine. */
export async function serveLocally(server: Server): Promise<LocalServer> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A TCP server's address is never a path.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
