import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A server of a test with the sockets that it holds. */
export type OpenServer = { readonly port: number; close(): Promise<void> };

/** Has a TCP server (or one over it) listen on loopback, on a free port unless one is named. */
export async function listen(server: Server, port = 0): Promise<OpenServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

/** Takes connections and says nothing, ever. */
export function startSilentServer(port = 0): Promise<OpenServer> {
  return listen(
    createServer((socket) => socket.resume()),
    port,
  );
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = await startSilentServer();
  await server.close();
  return server.port;
}
