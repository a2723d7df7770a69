import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Answers, ReadyAnswer } from './answers.ts';
import { type AccessOptions, createAccess } from './door/access.ts';
import { createBacklog } from './door/backlog.ts';
import { readBody } from './door/body.ts';
import { checkGraphql, checkRequest, noTunnel, unreadable } from './door/checks.ts';
import { answerPreflight, createCors } from './door/cors.ts';
import { createDrain } from './door/drain.ts';
import { commonHeaders, headersOf, Reply } from './door/headers.ts';
import { createLoad } from './door/load.ts';
import { headersOfPieces, isInPieces } from './door/pieces.ts';
import { createProbes } from './door/probes.ts';
import {
  badRequest,
  deadlineExceeded,
  internalError,
  notAcceptable,
  type Refusal,
  refuse,
  refuseRaw,
  withoutAnswer,
} from './door/refusal.ts';
import type { Metrics } from './metrics.ts';
import type { RequestRecord } from './request.ts';
import { createRound } from './round.ts';
import type { Telemetry } from './telemetry.ts';

export interface ServerOptions extends AccessOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Milliseconds for one request, from its first byte to the last of its answer. */
  readonly requestDeadlineMs: number;
  /** Requests that are served at once; those beyond are told to come back. */
  readonly maxInFlight: number;
  /** Milliseconds by which the event loop may be late on average before requests are turned away; 150 if not given. */
  readonly longestDelayMs?: number | undefined;
  /** Bytes of answers that wait to be read; a single one may be larger. */
  readonly maxWaitingBytes: number;
  /** Milliseconds that answers under way may take once the server stops. */
  readonly drainMs: number;
  /** Origins whose pages may read, or any on this machine. */
  readonly corsOrigins: readonly string[] | 'localhost';
  readonly metrics: Metrics;
  /** null for `/metrics` here. */
  readonly metricsPort: number | null;
  /** Told of each request, and of faults of our own, which clients see as "Internal error" only. */
  readonly telemetry: Telemetry;
}

/** What answers GraphQL: the gateway, or anything with its `fetch`. */
export interface GraphqlHandler extends Partial<Pick<Answers, 'answer'>> {
  fetch(url: string, init: RequestInit, context: { record: RequestRecord }): Response | Promise<Response>;
}

/** The front door while it listens. */
export interface RunningServer {
  /** Base URL, without a slash at the end. */
  readonly url: string;
  /**
   * Says on `/ready` that it stops, goes on for `graceMs` so that load balancers hear of it, then takes no more traffic and
   * lets answers under way finish for the drain time. Tells whether all of them did.
   */
  stop(graceMs?: number): Promise<boolean>;
}

const limits = {
  maxHeaderSize: 16_384,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 500,
  // Above the idle time of the usual load balancers, so that it is they who close.
  keepAliveTimeout: 75_000,
  // We refuse that ourselves, in the form of all refusals.
  requireHostHeader: false,
};

/** Connections that may wait to be let in. Of more than that at once, the system makes some try again seconds later. */
const longestQueue = 4096;

/** Listens on node:http: `/graphql` goes to GraphQL once it is found in order, what operators ask is answered here. */
export async function startServer(graphql: GraphqlHandler, options: ServerOptions): Promise<RunningServer> {
  const { metrics, telemetry, authentication } = options;
  const cors = createCors(options.corsOrigins);
  const whyNotReady = () => {
    if (drain.isStopping()) return 'stopping';
    return authentication?.isReady() === false ? 'waiting for the keys of JWT_JWKS_URL, which cannot be read' : null;
  };
  const access = createAccess(options);
  const shownMetrics = options.metricsPort === null ? metrics : null;
  const answerProbe = createProbes(whyNotReady, shownMetrics, access.checkOperator);
  const load = createLoad(options.maxInFlight, options.longestDelayMs);
  metrics.countInFlight(load.count);
  const backlog = createBacklog(options.maxWaitingBytes);
  /** Answers that were made: to send one between the work on two others takes a tenth longer than to send them all in a row. */
  const made = createRound();

  async function serve(request: IncomingMessage, response: ServerResponse, record: RequestRecord): Promise<void> {
    const wrong = checkRequest(request);
    if (wrong) return refuse(request, response, wrong);
    if (record.route !== 'graphql') {
      const path = request.url?.split('?', 1)[0] ?? '';
      const isProbe = await answerProbe(path, request, response);
      return isProbe ? undefined : refuse(request, response, badRequest(404, 'Not found. The graph is at /graphql.'));
    }
    const refusal = checkGraphql(request);
    if (refusal) return refuse(request, response, refusal);
    if (request.method === 'OPTIONS') return answerPreflight(response);
    const signal = startDeadline(request, response, record);
    const admission = await access.admit(request, response);
    if (response.headersSent || response.destroyed) return;
    if ('refusal' in admission) return refuse(request, response, admission.refusal);
    record.caller = admission.caller;
    const tooMany = load.enter();
    if (tooMany) return shed(request, response, tooMany);
    response.on('close', () => load.leave());
    await answerGraphql(request, response, record, signal);
  }

  /** Aborts when the answer is no longer wanted: it took too long, or whoever asked left. */
  function startDeadline(request: IncomingMessage, response: ServerResponse, record: RequestRecord): AbortSignal {
    const caller = new AbortController();
    const timer = setTimeout(() => {
      // An answer that is not read holds no place for longer either.
      if (response.headersSent) response.destroy();
      else refuse(request, response, isMutation(record) ? withoutAnswer(deadlineExceeded) : deadlineExceeded);
      caller.abort();
    }, options.requestDeadlineMs);
    response.on('close', () => {
      clearTimeout(timer);
      if (!response.writableFinished) caller.abort();
    });
    return caller.signal;
  }

  async function answerGraphql(
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
    signal: AbortSignal,
  ): Promise<void> {
    const { method = 'GET', headers, url } = request;
    const body = method === 'POST' ? await readBody(request) : null;
    if (typeof body === 'object' && body !== null) return refuse(request, response, body);
    const target = `http://${headers.host}${url}`;
    const sendKnown = (known: ReadyAnswer) => send(request, response, record, 200, known.headers, known.body);
    if (await graphql.answer?.({ method, url: target, headers, body, signal, record }, sendKnown)) return;
    const init = { method, headers: headers as Record<string, string>, body, signal };
    const answer = await graphql.fetch(target, init, { record });
    if (response.headersSent) return;
    if (isInPieces(answer)) {
      const pieces = answer.body as AsyncIterable<Uint8Array>;
      const isWhole = await backlog.sendPieces(response, answer.status, headersOfPieces(answer), pieces);
      if (!isWhole) metrics.shed();
      return;
    }
    // As bytes: node:http takes three times as many for a text that waits.
    const bytes = Buffer.from(await answer.text());
    if (answer.status === 406 && !response.headersSent) return refuse(request, response, notAcceptable);
    send(request, response, record, answer.status, headersOf(answer), bytes);
  }

  function send(
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
    status: number,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
  ): void {
    const sendNow = () => {
      // The deadline may have answered before, and who left is owed nothing.
      if (response.headersSent || response.destroyed) return;
      try {
        const noRoom = backlog.send(response, status, headers, body);
        if (noRoom) shed(request, response, isMutation(record) ? withoutAnswer(noRoom) : noRoom);
      } catch (error) {
        fail(request, response, record, error);
      }
    };
    // An answer that is under way alone has none to wait for.
    if (load.count() > 1) made.add(sendNow);
    else sendNow();
  }

  /** Answers for a fault of ours. */
  function fail(request: IncomingMessage, response: ServerResponse, record: RequestRecord, error: unknown): void {
    // Whoever left, or never sent the whole, is owed nothing, and that is no fault of ours.
    const left = response.destroyed || request.socket.destroyed || !request.complete;
    if (!left) telemetry.internalError(error, record.id);
    if (left || response.headersSent) response.destroy();
    else refuse(request, response, internalError);
  }

  function shed(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    metrics.shed();
    refuse(request, response, refusal);
  }

  /** Counts an answer in, gives it the headers that all have, and returns the record of its request. */
  function expectAnswer(request: IncomingMessage, response: Reply): RequestRecord {
    drain.expect(request, response);
    const record = telemetry.begin(response.answer(request, cors), request);
    response.on('close', () => {
      telemetry.end(record, response);
      drain.settle(request, response);
    });
    return record;
  }

  const server = createServer({ ...limits, ServerResponse: Reply }, (request, response) => {
    const record = expectAnswer(request, response);
    serve(request, response, record).catch((error) => fail(request, response, record, error));
  });
  const drain = createDrain(server);
  server.on('checkExpectation', (request, response) => {
    expectAnswer(request, response);
    refuse(request, response, badRequest(417, 'The only expectation that is met is 100-continue.'));
  });
  // What node:http cannot read as HTTP, or not in time. Without this, and the next, it says too little, or nothing.
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Where another answer is owed first, ours would be taken for it.
    if (drain.isOwed(socket) || !socket.writable) socket.destroy();
    else refuseRaw(socket, unreadable(error.code), commonHeaders());
  });
  server.on('connect', (_request, socket: Socket) => refuseRaw(socket, noTunnel, commonHeaders()));
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;

  return {
    url: `http://${host}:${port}`,
    async stop(graceMs = 0) {
      const whole = await drain.stop(graceMs, options.drainMs);
      load.close();
      backlog.close();
      return whole;
    },
  };
}

function isMutation({ operation }: RequestRecord): boolean {
  return operation?.type === 'mutation';
}

function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: longestQueue }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
