import type { RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { serverCredentials } from '../../src/credentials.ts';
import { providers } from '../../src/providers/index.ts';
import type { Source } from '../../src/request-source.ts';
import { type SourceErrorCode, type SourceFaultDetails, sourceErrorCodes } from '../../src/source-error.ts';
import { createUpstream, type Upstream } from '../../src/upstream/http.ts';
import { type Graph, type GraphOptions, openGraph } from './graph.ts';
import { apimallList, apimallRow, diligentRow } from './rows.ts';
import { json, startUpstream, text } from './upstream.ts';

/** Asks what there is to tell about each source. */
export const reportQuery = `{ webhooks { totalCount complete sources { source { key } state error {
  code message retryable httpStatus retryAfterMs providerCode providerRequestId
} } } }`;

/** A server of bytes, for what node:http would not send. */
export interface RawServer extends AsyncDisposable {
  readonly url: string;
  /** Every connection so far, the oldest first. */
  readonly sockets: readonly Socket[];
  /** All that came in, over all connections. */
  received(): string;
  stop(): Promise<void>;
}

/** Hands every connection, if with TLS once it stands, to `greet`; `server` is what listens, on a free loopback port. */
export async function startRaw(greet: (socket: Socket) => void, server: Server = createServer()): Promise<RawServer> {
  const sockets: Socket[] = [];
  const chunks: Buffer[] = [];
  const secure = server instanceof TlsServer;
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  async function stop() {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  }
  return {
    url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`,
    sockets,
    received: () => Buffer.concat(chunks).toString('latin1'),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Lets a connection `act` once for each request that came in whole. */
export function onRequest(act: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => socket.on('data', (chunk) => chunk.includes('\r\n\r\n') && act(socket));
}

/** A raw answer 200 with this body, and with these headers in place of the usual ones. */
export function rawAnswer(body: string, headers: string = `content-length: ${body.length}`): string {
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}`;
}

/** Two rows of each provider's list, so that one listener can stand behind either source. */
export const wholeLists = asProvider({
  apimall: apimallList(apimallRow(), apimallRow({ id: 9 })),
  diligent: json([diligentRow(), diligentRow({ id: 'second' })]),
});

/** The body of such a list of Diligent. */
export const wholeBody = JSON.stringify([diligentRow(), diligentRow({ id: 'second' })]);

const apimallBody = JSON.stringify({ success: true, data: [apimallRow(), apimallRow({ id: 9 })] });

/** Answers with each provider's whole list as `write` puts it. */
export function lists(write: (body: string) => RequestListener): RequestListener {
  return asProvider({ apimall: write(apimallBody), diligent: write(wholeBody) });
}

/** Answers as the provider whose key came along. */
export function asProvider(listeners: { readonly apimall: RequestListener; readonly diligent: RequestListener }) {
  const listener: RequestListener = (request, response) =>
    listeners['x-api-key' in request.headers ? 'diligent' : 'apimall'](request, response);
  return listener;
}

/**
 * Answers Diligent's list, but every so many requests closes a connection just when its request comes, if it carried one
 * before.
 */
export function startRacing(every: number): Promise<RawServer> {
  let requests = 0;
  const used = new WeakSet<object>();
  return startRaw(
    onRequest((socket) => {
      requests += 1;
      const races = requests % every === 0 && used.has(socket);
      used.add(socket);
      if (!races) socket.write(rawAnswer(wholeBody));
      else if (requests % (2 * every) === 0) socket.end();
      else socket.resetAndDestroy();
    }),
  );
}

/** Limits under which nothing that is whole fails, however busy the machine is. */
const patient = { deadlineMs: 20_000, attemptTimeoutMs: 20_000, maxBytes: 5_242_880, shareInFlight: true };

/**
 * Opens a graph over these upstreams, each asked with the key `test-key`; where only a base URL is given, under the
 * limits of the options.
 */
export async function openGraphAt(
  upstreams: Readonly<Record<string, string | Upstream>>,
  options: GraphOptions = {},
): Promise<Graph> {
  const { deadlineMs = 3000, attemptTimeoutMs = 2000, maxBytes = 5_242_880, shareInFlight = true } = options;
  const sources = providers.flatMap((provider): Source[] => {
    const given = upstreams[provider.key];
    if (given === undefined) return [];
    const upstream =
      typeof given === 'string'
        ? createUpstream(given, { deadlineMs, attemptTimeoutMs, maxBytes, shareInFlight })
        : given;
    return [{ key: provider.key, provider, upstream }];
  });
  const credentials = sources.map(({ key, provider: { url } }) => ({ key, url, credential: 'test-key' }));
  const graph = await openGraph({}, { findCredentials: serverCredentials(credentials), ...options, sources });
  return {
    ...graph,
    sources,
    async [Symbol.asyncDispose]() {
      await Promise.all(sources.map(({ upstream }) => upstream.close()));
    },
  };
}

const places = [['apimall'], ['diligent'], ['apimall', 'diligent']] as const;

/**
 * Asks three graphs for their reports: with the upstream at `url` in the place of one source, of the other, and of both,
 * so that a call each makes four. The source beside it is whole, and the limits of the options are not its own.
 */
export async function askInEveryPlace(url: string, options: GraphOptions = {}): Promise<readonly unknown[]> {
  return (await timeInEveryPlace(url, options)).answers;
}

/** The same, and how many milliseconds the slowest of the answers took. */
export async function timeInEveryPlace(url: string, options: GraphOptions = {}) {
  await using whole = await startUpstream(wholeLists);
  const asked = places.map(async (faulty) => {
    const at = (key: (typeof faulty)[number]) =>
      faulty.some((place) => place === key) ? url : createUpstream(whole.url, patient);
    await using graph = await openGraphAt({ apimall: at('apimall'), diligent: at('diligent') }, options);
    const started = performance.now();
    const { webhooks } = await graph.query(reportQuery);
    return { webhooks, elapsedMs: performance.now() - started };
  });
  const answered = await Promise.all(asked);
  return {
    answers: answered.map(({ webhooks }): unknown => webhooks),
    slowestMs: Math.max(...answered.map(({ elapsedMs }) => elapsedMs)),
  };
}

/** What `askInEveryPlace` answers where the fault is this error, and nothing else is the matter. */
export function everyPlace(code: SourceErrorCode, details: SourceFaultDetails = {}): readonly unknown[] {
  const failed = { state: 'FAILED', error: faultOf(code, details) };
  return places.map((faulty) => ({
    totalCount: 4 - 2 * faulty.length,
    complete: false,
    sources: ['apimall', 'diligent'].map((key) => ({
      source: { key },
      ...(faulty.some((place) => place === key) ? failed : { state: 'OK', error: null }),
    })),
  }));
}

/** What `askInEveryPlace` answers where nothing is the matter. */
export const wholeEverywhere = places.map(() => ({
  totalCount: 4,
  complete: true,
  sources: ['apimall', 'diligent'].map((key) => ({ source: { key }, state: 'OK', error: null })),
}));

/** An error as clients see it, all its fields. */
export function faultOf(code: SourceErrorCode, details: SourceFaultDetails = {}): SourceFaultDetails {
  const nothing = { httpStatus: null, retryAfterMs: null, providerCode: null, providerRequestId: null };
  const odd = code === 'BAD_RESPONSE' && (details.httpStatus ?? 200) !== 200;
  const message = odd
    ? `The provider answered with HTTP status ${details.httpStatus}.`
    : sourceErrorCodes[code].message;
  return { code, ...sourceErrorCodes[code], message, ...nothing, ...details };
}

/** Answers 200 with these bytes as JSON, or as what `headers` say. */
export function bytes(body: string | Buffer, headers: Record<string, string> = {}): RequestListener {
  return text(body, 200, { 'content-type': 'application/json', ...headers });
}
