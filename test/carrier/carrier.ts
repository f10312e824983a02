import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { serveControl } from "./control.ts";
import { httpServer, type WebAnswer } from "./http-server.ts";
import { serveRelay } from "./relay-server.ts";
import { serveRest } from "./rest.ts";
import { Tunnel } from "./tunnel.ts";
import { World } from "./world.ts";

export interface Carrier {
  readonly port: number;
  readonly relay: string;
  readonly rest: string;
  readonly control: string;
  readonly world: World;
  close(): Promise<void>;
}

/** Frames larger than this end the connection. */
const frame_limit = 4 * 1024 * 1024;

/** Starts the carrier on 127.0.0.1; port 0 takes any that is free. */
export async function startCarrier(port: number): Promise<Carrier> {
  const world = new World();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: frame_limit });
  const server = httpServer(async (request): Promise<WebAnswer> => {
    if (request.path[0] === "_carrier") return serveControl(world, request);
    const missing = { status: 404, json: { message: `nothing is at ${request.url.pathname}` } };
    return (await serveRest(world, request)) ?? missing;
  });
  server.on("upgrade", (request, socket, head) => {
    const { pathname } = new URL(request.url ?? "/", "http://carrier");
    const tunnelled = /^\/_carrier\/projects\/([^/]+)\/tunnel$/.exec(pathname)?.[1];
    const project = tunnelled === undefined ? undefined : world.projects.get(tunnelled);
    if (project === undefined && (pathname !== "/" || !world.listening)) {
      socket.destroy();
      return;
    }
    sockets.handleUpgrade(request, socket, head, (upgraded) => {
      if (project === undefined) {
        serveRelay(world, upgraded);
        return;
      }
      const tunnel: Tunnel = new Tunnel(upgraded, () => {
        if (project.tunnel === tunnel) project.tunnel = null;
      });
      project.tunnel = tunnel;
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  // A TCP server's address is never a path.
  const { port: bound } = server.address() as AddressInfo;
  const close = async () => {
    world.close();
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const rest = `http://127.0.0.1:${bound}`;
  return { port: bound, relay: `ws://127.0.0.1:${bound}`, rest, control: `${rest}/_carrier`, world, close };
}
