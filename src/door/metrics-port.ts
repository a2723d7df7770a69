import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from '../metrics.ts';
import { checkRequest } from './checks.ts';
import { badRequest, type Refusal, refuse } from './refusal.ts';

/** Metrics on a port of their own. */
export interface MetricsPort {
  /** Where they are, whole. */
  readonly url: string;
  close(): void;
}

const limits = {
  headersTimeout: 5000,
  requestTimeout: 5000,
  connectionsCheckingInterval: 500,
  requireHostHeader: false,
};
/** Whoever scrapes needs one. */
const mostConnections = 32;

/** Listens, and answers `GET /metrics` and nothing else. */
export async function startMetricsPort(metrics: Metrics, host: string, port: number): Promise<MetricsPort> {
  const server = createServer(limits, async (request, response) => {
    const refusal = checkScrape(request);
    if (refusal) return refuse(request, response, refusal);
    const text = await metrics.text();
    response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' });
    response.end(text);
  });
  server.maxConnections = mostConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}/metrics`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function checkScrape(request: IncomingMessage): Refusal | null {
  const wrong = checkRequest(request);
  if (wrong) return wrong;
  if (request.url?.split('?', 1)[0] !== '/metrics') return badRequest(404, 'Not found. Here is /metrics only.');
  return request.method === 'GET' ? null : badRequest(405, 'Use GET.', { allow: 'GET' });
}
