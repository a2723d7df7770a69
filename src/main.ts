import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { createAuthentication } from './auth/authentication.ts';
import type { OnKeySetChange } from './auth/key-set.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { variablesOf } from './config-sources.ts';
import {
  callerCredentials,
  credentialFiles,
  type RenewedCredentials,
  serverCredentials,
  tokenFiles,
} from './credentials.ts';
import { maxWaitingBytes } from './door/backlog.ts';
import { startMetricsPort } from './door/metrics-port.ts';
import { tuneCollector } from './garbage.ts';
import { createGateway } from './gateway.ts';
import { documentLimits } from './limits.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics } from './metrics.ts';
import { providers } from './providers/index.ts';
import { watchSecretFiles } from './secret-files.ts';
import { startServer } from './server.ts';
import { openSources } from './sources.ts';
import { createTelemetry } from './telemetry.ts';
import type { Traces } from './traces.ts';
import { version } from './version.ts';

/** Milliseconds that `/ready` says 503 before connections are refused. */
const readyGraceMs = 500;
/** Milliseconds in which two signals are one. */
const sameSignalMs = 500;
/** Milliseconds for the last spans, of what is left of the drain time. */
const leastFlushMs = 250;
const mostFlushMs = 2000;

tuneCollector();

try {
  await serve(readConfig(providers));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}

/** Serves until the first signal to stop, or a fault that nobody handled, and then until what is under way has ended. */
async function serve(config: Config): Promise<void> {
  const metrics = createMetrics({
    version,
    sources: config.sources.map(({ key }) => key),
    // Of callers' keys, each would be one tenant's webhooks.
    webhooks: config.credentials === 'server',
  });
  const log = await createLog(config.logLevel, metrics.lineDropped);
  const traces = await openTraces(config, log);
  const telemetry = createTelemetry({ log, metrics, beginTrace: traces?.begin ?? null });
  // Before the log ends, which listens already.
  process.prependListener('exit', telemetry.flush);
  const { sources, settings, close } = await openSources(config, telemetry.observe);
  const renewed: RenewedCredentials = new Map();
  const gateway = createGateway({
    ...config,
    sources,
    needsToken: config.auth !== null,
    documentLimits,
    findCredentials: config.credentials === 'passthrough' ? callerCredentials : serverCredentials(settings, renewed),
    onInternalError: telemetry.internalError,
    onListed: telemetry.listed,
    onWrite: telemetry.wrote,
  });
  const authentication = config.auth && createAuthentication(config.auth, tellKeySet(log), config.upstream.proxy);
  const files = [
    ...credentialFiles(settings, config.secretFiles, renewed),
    ...tokenFiles(config.secretFiles, (tokens) => authentication?.useTokens(tokens)),
  ];
  const watch = watchSecretFiles(files, (line) => log.write('warn', line, {}));
  const server = await startServer(gateway, { ...config, authentication, maxWaitingBytes, metrics, telemetry });
  const { host, metricsPort } = config;
  const scraped = metricsPort === null ? null : await startMetricsPort(metrics, host, metricsPort).catch(namePort);
  let isFaulty = false;
  // Rejections that nobody handles come here, too. What is left in order after one, nobody knows: the program ends.
  process.on('uncaughtException', (error) => {
    isFaulty = true;
    telemetry.internalError(error);
  });
  exitOnSecondSignal();
  greet(log, config, server.url, scraped?.url ?? `${server.url}/metrics`);

  const ends = ['SIGTERM', 'SIGINT', 'uncaughtException'].map((event) => once(process, event));
  const [why] = await Promise.race(ends);
  log.write('info', 'stopping', { why: typeof why === 'string' ? why : 'fault' });
  log.flush();
  // SIGTERM comes from what runs us, which watches /ready; whoever types Ctrl+C does not.
  const stopsAt = performance.now();
  const isAnswered = await server.stop(why === 'SIGTERM' ? readyGraceMs : 0);
  scraped?.close();
  watch.close();
  const left = () => Math.max(config.drainMs - (performance.now() - stopsAt), leastFlushMs);
  // Those whose callers left: each is to be told of, and what is cut now is told of as such.
  const isWritten = await within(left(), gateway.writesEnded());
  await Promise.all([authentication?.close(), close()]);
  await within(leastFlushMs, gateway.writesEnded());
  await traces?.close(Math.min(left(), mostFlushMs));
  telemetry.flush();
  const whole = isAnswered && isWritten;
  log.write('info', 'stopped', { whole, faulty: isFaulty });
  await log.close();
  process.exit(whole && !isFaulty ? 0 : 1);
}

/** Waits for work, but no longer than so many milliseconds, and tells whether it ended. */
async function within(ms: number, work: Promise<void>): Promise<boolean> {
  const given = new AbortController();
  const ended = work.then(() => true);
  const isEnded = await Promise.race([ended, sleep(ms, false, { signal: given.signal })]);
  given.abort();
  return isEnded;
}

async function openTraces({ traces }: Config, log: Log): Promise<Traces | null> {
  if (!traces) return null;
  const { createTraces } = await import('./traces.ts');
  return createTraces(traces, version, (cause) => log.write('warn', 'traces cannot be sent', { cause }));
}

function tellKeySet(log: Log): OnKeySetChange {
  return (reason, cause) => {
    if (reason === null) log.write('info', 'JWT_JWKS_URL: the keys can be read again', {});
    else log.write('warn', 'JWT_JWKS_URL: the keys cannot be read, which is tried again', { code: reason, cause });
  };
}

/** Whoever asks twice does not want to wait. Ctrl+C comes twice at once, from the terminal and from npm. */
function exitOnSecondSignal(): void {
  let firstAt: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt > sameSignalMs) process.exit(1);
    });
  }
}

function greet(
  log: Log,
  { sandbox, credentials, sources, graphiql, auth, rateLimit }: Config,
  url: string,
  metrics: string,
): void {
  const what = graphiql ? 'GraphQL and GraphiQL' : 'GraphQL';
  const keys = sources.map(({ key }) => key);
  log.write('info', `hookgraph serves ${what} at ${url}/graphql`, {
    version,
    sources: keys,
    credentials,
    callers: describeCallers(auth),
    rateLimit,
    metrics,
  });
  if (sandbox) {
    const keyNames = providers.map((provider) => variablesOf(provider).key).join(' or ');
    const text = `This is the SANDBOX: all webhooks are made up and come from memory. Set ${keyNames} to see real ones.`;
    log.write('info', text, {});
  }
  log.flush();
}

function describeCallers(auth: Config['auth']): string {
  if (!auth) return 'everyone';
  return [auth.tokens.length > 0 && 'tokens', auth.jwt && 'JWTs'].filter(Boolean).join(' and ');
}

function namePort(error: unknown): never {
  throw Object.assign(error as Error, { variable: 'METRICS_PORT' });
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const { code, variable = 'PORT' } = Object(error);
  if (code === 'EADDRINUSE') return `${variable}: another program listens there already; stop it or choose another`;
  if (code === 'EADDRNOTAVAIL' || code === 'EACCES')
    return `HOST, ${variable}: this machine does not let us listen there (${code})`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `HOST: no such name or address (${code})`;
  return inspect(error);
}
