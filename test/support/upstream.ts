import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call that an upstream received. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Settles when the answer was sent, or when the caller left before. */
  readonly ended: Promise<'answered' | 'left'>;
}

/** A fake upstream on a real socket. */
export interface TestUpstream extends AsyncDisposable {
  readonly url: string;
  readonly calls: readonly Call[];
  /** Stops listening: the next call is refused. */
  stop(): Promise<void>;
}

/** Serves `listener` on a free loopback port and keeps what it was asked. */
export async function startUpstream(listener: RequestListener): Promise<TestUpstream> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    const ended = new Promise<'answered' | 'left'>((resolve) => {
      response.once('close', () => resolve(response.writableFinished ? 'answered' : 'left'));
    });
    calls.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, ended });
    return listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  async function stop() {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
  return { url: `http://127.0.0.1:${port}`, calls, stop, [Symbol.asyncDispose]: stop };
}

/** Answers with JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): RequestListener {
  return text(JSON.stringify(body), status, { 'content-type': 'application/json', ...headers });
}

/** Answers with this text, or these bytes. */
export function text(body: string | Buffer, status = 200, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => send(response, status, headers, body);
}

/** Never answers. */
export const hang: RequestListener = () => {};

/** Answers as `listener` does, once `passed` has. */
export function after(passed: () => Promise<void>, listener: RequestListener): RequestListener {
  return async (request, response) => {
    await passed();
    listener(request, response);
  };
}

/** A function whose promise settles when it has been called `count` times. */
export function createBarrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let arrived = 0;
  return () => {
    arrived += 1;
    if (arrived === count) resolve();
    return promise;
  };
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: string | Buffer): void {
  response.writeHead(status, headers);
  response.end(body);
}
