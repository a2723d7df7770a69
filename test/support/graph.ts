import type { RequestListener } from 'node:http';
import { type Context, createContext } from '../../src/context.ts';
import { callerCredentials, serverCredentials } from '../../src/credentials.ts';
import { createGateway, type GatewayOptions } from '../../src/gateway.ts';
import { documentLimits } from '../../src/limits.ts';
import { providers } from '../../src/providers/index.ts';
import { createRecord, type EndedWrite } from '../../src/request.ts';
import type { FindCredential, Source } from '../../src/request-source.ts';
import { createTurns } from '../../src/turns.ts';
import { createUpstream, type UpstreamLimits } from '../../src/upstream/http.ts';
import type { UpstreamObserver } from '../../src/upstream/observer.ts';
import { compareCompiled, rememberReads } from './compare.ts';
import { readAnswer } from './pieces.ts';
import { type Call, startUpstream, type TestUpstream } from './upstream.ts';

/** What a GraphQL answer is made of, as JSON brings it. */
export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: an answer has the shape of its query
  readonly data: any;
  readonly errors?: readonly GraphError[];
}

export interface GraphError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** A gateway in front of one fake upstream per source, both on real sockets between them. */
export interface Graph extends AsyncDisposable {
  readonly gateway: ReturnType<typeof createGateway>;
  /** The data of an answer. Throws where there are errors. */
  query(document: string, variables?: object): Promise<Answer['data']>;
  /** The whole answer, errors or not. */
  answer(document: string, variables?: object, headers?: Record<string, string>): Promise<Answer>;
  readonly sources: readonly Source[];
  readonly upstreams: Readonly<Record<string, TestUpstream>>;
  /** All writes that ended so far, as the log tells of them. */
  readonly writes: readonly EndedWrite[];
  /** The calls that a source's upstream got so far. */
  calls(source: string): readonly Call[];
}

export interface GraphOptions extends Partial<GatewayOptions>, Partial<UpstreamLimits> {
  readonly passthrough?: boolean;
  /** Where the sandboxes' clock stands. */
  readonly now?: string;
  /** Watches the upstream of each source. */
  observe?(source: string): UpstreamObserver;
}

const testKey = 'test-key';

/**
 * Opens a graph over the named sources, each with the upstream that is given for it; `'sandbox'` is the provider's own.
 */
export async function openGraph(
  sources: Readonly<Record<string, RequestListener | 'sandbox'>> = { apimall: 'sandbox', diligent: 'sandbox' },
  options: GraphOptions = {},
): Promise<Graph> {
  const {
    deadlineMs = 3000,
    attemptTimeoutMs = 2000,
    maxBytes = 5_242_880,
    shareInFlight = true,
    reuseSnapshots = true,
    now = '2026-11-01T12:00:00Z',
  } = options;
  const served = providers.filter(({ key }) => key in sources);
  const settings = await Promise.all(
    served.map(async (provider) => {
      const given = sources[provider.key] ?? 'sandbox';
      const sandbox = provider.sandbox(() => Date.parse(now));
      const upstream = await startUpstream(given === 'sandbox' ? sandbox.listener : given);
      const url = given === 'sandbox' ? upstream.url + sandbox.path : upstream.url;
      const limits = { deadlineMs, attemptTimeoutMs, maxBytes, shareInFlight, reuseSnapshots };
      const connection = createUpstream(url, limits, options.observe?.(provider.key));
      const credential = given === 'sandbox' ? sandbox.key : testKey;
      return { key: provider.key, provider, url, upstream, connection, credential };
    }),
  );
  const internalErrors: unknown[] = [];
  const writes: EndedWrite[] = [];
  const opened = settings.map(({ key, provider, connection }) => ({ key, provider, upstream: connection }));
  const findCredentials =
    options.findCredentials ?? (options.passthrough ? callerCredentials : serverCredentials(settings));
  const reads = rememberReads(options.sources ?? opened);
  let asking = 0;
  let answered = 0;
  const gateway = createGateway({
    partialResults: 'rows',
    writes: true,
    deliveryPayloads: false,
    graphiql: false,
    needsToken: false,
    introspection: true,
    documentLimits,
    trustedDocuments: null,
    onInternalError: (error) => internalErrors.push(error),
    onListed() {},
    onWrite: (_record, write) => writes.push(write),
    ...options,
    sources: reads.live,
    findCredentials,
  });

  async function answer(query: string, variables?: object, headers: Record<string, string> = {}): Promise<Answer> {
    const isAlone = asking === answered;
    asking += 1;
    const asked = asking;
    const response = await gateway.fetch('http://graph.test/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
    const result = readAnswer(await response.text()) as Answer;
    // A fault of our own is never what a test expects.
    if (internalErrors.length > 0) throw new AggregateError(internalErrors, 'Internal errors');
    answered += 1;
    // Whatever a test asks, one after the other, is executed in both ways.
    if (isAlone && asking === asked) {
      const partialResults = options.partialResults ?? 'rows';
      const credentials = findCredentials(new Headers(headers));
      const context = openContext(reads.again, credentials, undefined, partialResults, options.writes);
      await compareCompiled(query, variables ?? {}, result, context);
    }
    return result;
  }

  return {
    gateway,
    sources: opened,
    writes,
    answer,
    async query(document, variables) {
      const { data, errors } = await answer(document, variables);
      if (errors) throw new Error(`Unexpected errors: ${JSON.stringify(errors)}`);
      return data;
    },
    upstreams: Object.fromEntries(settings.map(({ key, upstream }) => [key, upstream])),
    calls: (source) => settings.find(({ key }) => key === source)?.upstream.calls ?? [],
    async [Symbol.asyncDispose]() {
      await Promise.all(settings.map(({ upstream }) => upstream.stop()));
      await Promise.all(settings.map(({ connection }) => connection.close()));
    },
  };
}

/** What one request sees of these sources, without GraphQL above it. */
export function openContext(
  sources: readonly Source[],
  key: string | FindCredential = testKey,
  signal = new AbortController().signal,
  partialResults: Context['partialResults'] = 'rows',
  writes = true,
): Context {
  const onInternalError = (error: unknown) => {
    throw error;
  };
  return createContext({
    record: createRecord(),
    sources,
    partialResults,
    findCredential: typeof key === 'string' ? ({ provider }) => provider.authorization(key) : key,
    signal,
    turn: createTurns().join(),
    writes,
    onInternalError,
    onListed() {},
    onWrite() {},
  });
}
