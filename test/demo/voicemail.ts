import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const document = {
  version: "1.0.0",
  sections: {
    main: [{ answer: {} }, { play: { url: "say:Leave a message after the tone." } }, { hangup: {} }],
  },
};

/** A tenant's own SWML document, on a free port: where calls are handed over to. */
export async function startVoicemail(): Promise<{ url: string; stop(): void }> {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document));
  });
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
