import { maxWaitingBytes } from '../../src/door/backlog.ts';
import { silentLog } from '../../src/log.ts';
import { createMetrics } from '../../src/metrics.ts';
import { type GraphqlHandler, type RunningServer, type ServerOptions, startServer } from '../../src/server.ts';
import { createTelemetry } from '../../src/telemetry.ts';

/** One for all: each watches the event loop. */
const metrics = createMetrics();

function rethrow(error: unknown): never {
  throw error;
}

/**
 * Puts the front door before a gateway, on a free loopback port, with the limits that the program has by default; but it turns
 * nobody away because the machine is busy with something else.
 */
export async function listen(
  gateway: GraphqlHandler,
  { onInternalError = rethrow, ...options }: Partial<ServerOptions> & { onInternalError?(error: unknown): void } = {},
): Promise<RunningServer & AsyncDisposable> {
  const defaults = {
    host: '127.0.0.1',
    port: 0,
    authentication: null,
    rateLimit: null,
    graphiql: false,
    requestDeadlineMs: 10_000,
    maxInFlight: 512,
    longestDelayMs: Number.POSITIVE_INFINITY,
    maxWaitingBytes,
    drainMs: 0,
    corsOrigins: [],
    metrics,
    metricsPort: null,
  };
  const telemetry = createTelemetry({ log: silentLog, metrics: options.metrics ?? metrics, beginTrace: null });
  const server = await startServer(gateway, {
    ...defaults,
    telemetry: { ...telemetry, internalError: onInternalError },
    ...options,
  });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server.stop();
    },
  };
}
