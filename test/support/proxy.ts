import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A proxy on loopback that takes CONNECT. */
export interface TestProxy extends AsyncDisposable {
  readonly url: string;
  /** What it was asked: the method and the target of each request, and what it was told of who asks. */
  readonly asked: readonly { readonly what: string; readonly authorization: string | undefined }[];
  /** The connections that it took, the oldest first. */
  readonly sockets: readonly Duplex[];
  /** All that came in, over all connections, if in tunnels. */
  received(): string;
}

/** Answers a CONNECT; the usual way is a tunnel. */
export type AnswerConnect = (socket: Duplex, tunnel: () => void) => void;

/** Starts a proxy that leads every tunnel to `port` of this machine, whatever host was asked for. */
export async function startProxy(
  port: number,
  answer: AnswerConnect = (_socket, tunnel) => tunnel(),
): Promise<TestProxy> {
  const asked: { what: string; authorization: string | undefined }[] = [];
  const sockets: Duplex[] = [];
  const chunks: Buffer[] = [];
  const note = ({ method, url, headers }: IncomingMessage) =>
    asked.push({ what: `${method} ${url}`, authorization: headers['proxy-authorization'] });
  const server = createServer((request, response) => {
    note(request);
    response.writeHead(405).end();
  });
  server.on('connection', (socket: Socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  });
  server.on('connect', (request, socket) => {
    note(request);
    // Read from now on, so that its end is seen; http leaves the other half open.
    socket.resume().once('end', () => socket.end());
    answer(socket, () => {
      const there = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(there).pipe(socket);
      });
      there.on('error', () => socket.destroy());
      there.once('close', () => socket.destroy());
      socket.once('close', () => there.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    sockets,
    received: () => Buffer.concat(chunks).toString('latin1'),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
