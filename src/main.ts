import { once } from 'node:events';
import { inspect } from 'node:util';
import { createAuthentication } from './auth/authentication.ts';
import { type Config, ConfigError, readConfig, variablesOf } from './config.ts';
import {
  callerCredentials,
  credentialFiles,
  type RenewedCredentials,
  serverCredentials,
  tokenFiles,
} from './credentials.ts';
import { maxWaitingBytes } from './door/backlog.ts';
import type { SourceErrorCode } from './errors.ts';
import { createGateway } from './gateway.ts';
import { documentLimits } from './limits.ts';
import { createMetrics } from './metrics.ts';
import { providers } from './providers/index.ts';
import { watchSecretFiles } from './secret-files.ts';
import { startServer } from './server.ts';
import { openSources } from './sources.ts';

/** Milliseconds that `/ready` says 503 before connections are refused. */
const readyGraceMs = 500;
/** Milliseconds in which two signals are one. */
const sameSignalMs = 500;

try {
  await serve(readConfig(providers));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}

/** Serves until the first signal to stop, or a fault that nobody handled, and then until what is under way has ended. */
async function serve(config: Config): Promise<void> {
  const { sources, settings, close } = await openSources(config);
  const renewed: RenewedCredentials = new Map();
  const gateway = createGateway({
    ...config,
    sources,
    needsToken: config.auth !== null,
    documentLimits,
    findCredentials: config.credentials === 'passthrough' ? callerCredentials : serverCredentials(settings, renewed),
    onInternalError,
  });
  const authentication = config.auth && createAuthentication(config.auth, onKeySetChange, config.upstream.proxy);
  const files = [
    ...credentialFiles(settings, config.secretFiles, renewed),
    ...tokenFiles(config.secretFiles, (tokens) => authentication?.useTokens(tokens)),
  ];
  const watch = watchSecretFiles(files, warn);
  const server = await startServer(gateway, {
    ...config,
    authentication,
    maxWaitingBytes,
    metrics: createMetrics(),
    onInternalError,
  });
  let isFaulty = false;
  // Rejections that nobody handles come here, too. What is left in order after one, nobody knows: the program ends.
  process.on('uncaughtException', (error) => {
    isFaulty = true;
    onInternalError(error);
  });
  exitOnSecondSignal();
  process.stdout.write(`${greeting(config, server.url)}\n`);

  const ends = ['SIGTERM', 'SIGINT', 'uncaughtException'].map((event) => once(process, event));
  const [why] = await Promise.race(ends);
  // SIGTERM comes from what runs us, which watches /ready; whoever types Ctrl+C does not.
  const whole = await server.stop(why === 'SIGTERM' ? readyGraceMs : 0);
  watch.close();
  await Promise.all([authentication?.close(), close()]);
  process.exit(whole && !isFaulty ? 0 : 1);
}

function onInternalError(error: unknown): void {
  process.stderr.write(`Internal error: ${inspect(error)}\n`);
}

function onKeySetChange(reason: SourceErrorCode | null): void {
  const state = reason === null ? 'can be read again' : `cannot be read (${reason}), which is tried again`;
  process.stderr.write(`JWT_JWKS_URL: the keys ${state}\n`);
}

function warn(line: string): void {
  process.stderr.write(`${line}\n`);
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

function greeting({ sandbox, credentials, sources, graphiql }: Config, url: string): string {
  const keys = sources.map(({ key }) => key).join(', ');
  const keyNames = providers.map((provider) => variablesOf(provider).key).join(' or ');
  const what = graphiql ? 'GraphQL and GraphiQL' : 'GraphQL';
  const where = `hookgraph serves ${what} at ${url}/graphql\nSources: ${keys}`;
  if (sandbox) {
    return `${where}\nThis is the SANDBOX: all webhooks are made up and come from memory. Set ${keyNames} to see real ones.`;
  }
  return credentials === 'passthrough' ? `${where} (with the keys that callers pass)` : where;
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'PORT: another program listens there already; stop it or choose another';
  if (code === 'EADDRNOTAVAIL' || code === 'EACCES')
    return `HOST, PORT: this machine does not let us listen there (${code})`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `HOST: no such name or address (${code})`;
  return inspect(error);
}
