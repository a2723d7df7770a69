import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Milliseconds that answers under way may take once the server stops. */
  readonly drainMs: number;
}

/** The front door while it listens. */
export interface RunningServer {
  /** Base URL, without a slash at the end. */
  readonly url: string;
  /** Takes no more traffic, lets answers under way finish for the drain time, and ends. */
  stop(): Promise<void>;
}

/** Listens on node:http: `/graphql` goes to the gateway, `/health` and `/ready` are answered here. */
export async function startServer(graphql: RequestListener, options: ServerOptions): Promise<RunningServer> {
  let ready = true;
  const server = createServer((request, response) => {
    // Once stopping, a connection ends with its last answer instead of waiting for another request.
    response.once('close', () => !ready && setImmediate(() => server.closeIdleConnections()));
    const path = request.url?.split('?', 1)[0];
    if (path === '/graphql') return graphql(request, response);
    if (path === '/health') return answer(request, response, 200, 'alive');
    if (path === '/ready') return answer(request, response, ready ? 200 : 503, ready ? 'ready' : 'stopping');
    return answer(request, response, 404, 'Not found. The graph is at /graphql.');
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;

  return {
    url: `http://${host}:${port}`,
    stop() {
      ready = false;
      return new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), options.drainMs);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        server.closeIdleConnections();
      });
    },
  };
}

function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function answer(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  request.resume();
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${text}\n`);
}
