import { maxWaitingBytes } from '../../src/door/backlog.ts';
import { createMetrics } from '../../src/metrics.ts';
import { type GraphqlHandler, type RunningServer, type ServerOptions, startServer } from '../../src/server.ts';

/** One for all: each watches the event loop. */
const metrics = createMetrics();

/** Puts the front door before a gateway, on a free loopback port, with the limits that the program has by default. */
export async function listen(
  gateway: GraphqlHandler,
  options: Partial<ServerOptions> = {},
): Promise<RunningServer & AsyncDisposable> {
  const defaults = {
    host: '127.0.0.1',
    port: 0,
    authentication: null,
    rateLimit: null,
    graphiql: false,
    requestDeadlineMs: 10_000,
    maxInFlight: 512,
    maxWaitingBytes,
    drainMs: 0,
    corsOrigins: [],
    metrics,
  };
  const onInternalError = (error: unknown) => {
    throw error;
  };
  const server = await startServer(gateway, { ...defaults, onInternalError, ...options });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server.stop();
    },
  };
}
