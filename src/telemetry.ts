import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { refusalOf } from './door/refusal.ts';
import { errnoOf } from './errno.ts';
import { describeError, type Log, printable } from './log.ts';
import type { Metrics } from './metrics.ts';
import {
  createRecord,
  type EndedWrite,
  outcomeOf,
  type ReadList,
  type RequestRecord,
  type Route,
  type SourceRead,
} from './request.ts';
import { createRound } from './round.ts';
import { SourceError } from './source-error.ts';
import type { Span } from './span.ts';
import type { EndedCall, UpstreamObserver } from './upstream/observer.ts';

/** The one place where what happens becomes lines of the log, metrics and spans. */
export interface Telemetry {
  /** Opens the record of a request. */
  begin(id: string, request: IncomingMessage): RequestRecord;
  /** Tells of a request once: when its answer is sent, or will not be. */
  end(record: RequestRecord, response: ServerResponse): void;
  /** Tells of webhooks that a request read. */
  listed(list: ReadList): void;
  /** Tells of a write at once, as who reads it may not wait for the request to end. */
  wrote(record: RequestRecord, write: EndedWrite): void;
  /** Watches the upstream of a source. */
  observe(source: string): UpstreamObserver;
  /** Tells of a fault of our own. */
  internalError(error: unknown, requestId?: string): void;
  /** Tells at once of what was to be told when the event loop goes round. */
  flush(): void;
}

/** Begins the span of a request, if with that of its caller as the whole that it is part of. */
export type BeginTrace = (request: IncomingMessage) => Span;

export interface TelemetryOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  /** null where tracing is off. */
  readonly beginTrace: BeginTrace | null;
}

const routes: Readonly<Record<string, Route>> = {
  '/graphql': 'graphql',
  '/health': 'probe',
  '/ready': 'probe',
  '/metrics': 'probe',
};
/** As is usual for a client that left; nobody is answered it. */
const statusOfLeft = 499;
const longestName = 64;
const longestId = 400;

/** Begins to tell. */
export function createTelemetry({ log, metrics, beginTrace }: TelemetryOptions): Telemetry {
  /** The span of each whole request, as records hold that of the part that is worked on. */
  const whole = new WeakMap<RequestRecord, Span>();

  function endOperation(record: RequestRecord, status: number | null, durationMs: number): void {
    const outcome = outcomeOf(record, status);
    const { operation, caller } = record;
    const type = operation?.type === 'query' || operation?.type === 'mutation' ? operation.type : 'none';
    metrics.operationEnded(type, outcome, durationMs / 1000);
    if (record.isReused) metrics.answerReused();
    if (!log.isOn('info')) return;
    log.write('info', 'operation', {
      requestId: record.id,
      traceId: whole.get(record)?.traceId,
      caller: caller && printable(caller.name, longestName),
      operation: operation?.name ?? null,
      type: operation?.type ?? null,
      hash: operation?.hash ?? null,
      durationMs: rounded(durationMs),
      status,
      outcome,
      reused: record.isReused || undefined,
      sources: record.reads.map(lineOf),
      writes: record.writes.length > 0 ? record.writes.map(({ action, outcome }) => ({ action, outcome })) : undefined,
      errors: [...record.errors],
    });
  }

  function tellEnd(record: RequestRecord, status: number | null, refusal: string | null, durationMs: number): void {
    metrics.requestEnded(record.route, status ?? statusOfLeft, durationMs / 1000);
    for (const { source, state, code } of record.reads) {
      if (state) metrics.source(source).read(state, code);
    }
    // GraphiQL and what was refused at the door are no operations.
    if (record.operation || record.errors.size > 0) {
      if (refusal) record.errors.add(refusal);
      endOperation(record, status, durationMs);
    } else if (refusal && log.isOn('debug')) {
      const { id, route } = record;
      log.write('debug', 'refused', { requestId: id, route, status, code: refusal, durationMs: rounded(durationMs) });
    }
  }

  const round = createRound();

  return {
    begin(id, request) {
      const { url = '' } = request;
      const route = routes[url] ?? routes[url.split('?', 1)[0] ?? ''] ?? 'other';
      const record = createRecord(id, null, route);
      if (beginTrace && route === 'graphql') {
        record.span = beginTrace(request);
        record.span.set({ 'hookgraph.request.id': id });
        whole.set(record, record.span);
      }
      return record;
    },
    end(record, response) {
      const durationMs = performance.now() - record.startedAt;
      const status = response.writableFinished ? response.statusCode : null;
      const tell = () => tellEnd(record, status, refusalOf(response), durationMs);
      // What goes on after an answer that was given up is no part of it.
      if (status === null || status >= 500) tell();
      else round.add(tell);
      const span = whole.get(record);
      span?.set({ 'http.response.status_code': status ?? statusOfLeft });
      span?.end(status === null || status >= 500 ? String(status ?? 'left') : null);
    },
    listed: (list) => metrics.source(list.source).listed(list),
    wrote(record, { action, source, outcome, ...write }) {
      if (source) metrics.source(source).wrote(action, outcome);
      // A warning, so that whoever turns down the log keeps what tells who changed what.
      log.write('warn', 'write', {
        requestId: record.id,
        ...traceOf(whole.get(record)),
        caller: record.caller && printable(record.caller.name, longestName),
        action,
        source,
        outcome,
        ...write,
        id: write.id && printable(write.id, longestId),
        durationMs: write.durationMs && rounded(write.durationMs),
      });
    },
    observe(source) {
      const counted = metrics.source(source);
      return {
        called(call) {
          const { error, durationMs } = call;
          if (error === null) return round.add(() => counted.called('OK', durationMs / 1000));
          const fault = error instanceof SourceError ? error.fault : null;
          counted.called(fault?.code ?? 'CANCELLED', durationMs / 1000);
          if (fault && log.isOn('warn')) log.write('warn', 'call failed', failedCall(source, call, fault));
          else if (error !== null && !fault && log.isOn('debug'))
            log.write('debug', 'call cancelled', callOf(source, call));
        },
        retried: counted.retried,
        joined: () => round.add(counted.joined),
        unchanged: () => round.add(counted.unchanged),
        circuit(isOpen) {
          counted.circuit(isOpen);
          if (isOpen) log.write('warn', 'circuit opened', { source });
          else log.write('info', 'circuit closed', { source });
        },
      };
    },
    internalError(error, requestId) {
      log.write('error', 'internal error', { ...(requestId && { requestId }), error: describeError(error) });
      log.flush();
    },
    flush: round.flush,
  };
}

/** Of a log line, members that are undefined are left out. */
function lineOf({ source, subject, state, code, durationMs, joined }: SourceRead) {
  return {
    source,
    subject: subject === 'webhooks' ? undefined : subject,
    state,
    code: code ?? undefined,
    durationMs,
    joined: joined || undefined,
  };
}

function callOf(source: string, { requestId, traceId, method, attempt, durationMs }: EndedCall) {
  return { source, requestId, ...(traceId && { traceId }), method, attempt, durationMs: rounded(durationMs) };
}

function failedCall(source: string, call: EndedCall, { code, ...fault }: SourceError['fault']) {
  const { httpStatus, providerCode, providerRequestId, retryAfterMs } = fault;
  const cause = errnoOf(call.error);
  return { ...callOf(source, call), code, httpStatus, providerCode, providerRequestId, retryAfterMs, cause };
}

function traceOf(span: Span | undefined) {
  return span && { traceId: span.traceId };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
