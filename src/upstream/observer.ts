import { performance } from 'node:perf_hooks';
import type { SourceRead } from '../request.ts';
import { SourceError } from '../source-error.ts';
import type { SpanAttributes } from '../span.ts';
import type { Request } from './exchange.ts';

/** One call to an upstream, when it has ended. */
export interface EndedCall {
  /** The request that it was made for; null where a test makes it for none. */
  readonly requestId: string | null;
  readonly traceId: string | null;
  readonly method: Request['method'];
  /** 1 for the first of an operation, more where it was made again. */
  readonly attempt: number;
  readonly durationMs: number;
  /** What it threw, null where it worked. What is no `SourceError` is that nobody waited for it any more. */
  readonly error: unknown;
}

/** Is told what happens at one upstream, as it happens. It must not throw, and not take long. */
export interface UpstreamObserver {
  called(call: EndedCall): void;
  /** A call is going to be made again. */
  retried(): void;
  /** A request took part in a call that another had begun. */
  joined(): void;
  /** A call was answered what the last one had been, and nothing was made of it again. */
  unchanged(): void;
  /** A circuit opened, or closed again. Each key has its own. */
  circuit(isOpen: boolean): void;
}

/** What calls are made for; it is noted that there was one. */
export type UpstreamWork = Pick<SourceRead, 'requestId' | 'span' | 'called'>;

/** Looks away. */
export const noObserver: UpstreamObserver = { called() {}, retried() {}, joined() {}, unchanged() {}, circuit() {} };

/** A call that is being made. */
export interface BegunCall {
  /** The headers that carry its trace on; null where tracing is off. */
  readonly headers: Readonly<Record<string, string>> | null;
  /** Tells how it ended, once: null where it worked, otherwise what it threw. */
  end(error: unknown): void;
}

/** Begins to time one call, of which the observer is told when it ends. */
export function beginCall(
  observer: UpstreamObserver,
  work: UpstreamWork | null,
  method: Request['method'],
  attempt: number,
  server: SpanAttributes,
): BegunCall {
  const startedAt = performance.now();
  const span = work?.span?.begin(method, { 'http.request.method': method, ...server }, 'call') ?? null;
  if (work) work.called = true;
  if (attempt > 1) span?.set({ 'http.request.resend_count': attempt - 1 });
  return {
    headers: span?.headers ?? null,
    end(error) {
      const requestId = work?.requestId ?? null;
      const traceId = span?.traceId ?? null;
      observer.called({ requestId, traceId, method, attempt, durationMs: performance.now() - startedAt, error });
      if (!span) return;
      const fault = error instanceof SourceError ? error.fault : null;
      const httpStatus = error === null && method === 'GET' ? 200 : fault?.httpStatus;
      if (httpStatus) span.set({ 'http.response.status_code': httpStatus });
      span.end(error === null ? null : (fault?.code ?? 'CANCELLED'));
    },
  };
}
