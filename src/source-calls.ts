import { performance } from 'node:perf_hooks';
import { beginRead, type ReadSubject } from './request.ts';
import type { Authorization, RequestSource, Source, SourceOptions, SourceReport, Written } from './request-source.ts';
import { SourceError, UnknownOutcome } from './source-error.ts';
import { callerLeft, done, failed, reportOf } from './source-reports.ts';
import type { Http, WriteHttp } from './upstream/calls.ts';
import type { Snapshot } from './upstream/snapshot.ts';
import type { Webhook } from './webhook.ts';

/** One request at one source. */
export interface Asker {
  readonly source: Source;
  readonly options: SourceOptions;
  /** The key that it asks with, or why it has none. */
  readonly credential: Authorization | SourceError;
  /** What reports are about. */
  readonly opened: RequestSource;
}

/**
 * Asks something of the source, and notes on the record of the request what became of it. Never rejects. What is asked at the same
 * time under the same name and key is shared.
 */
export async function makeRead<R extends { readonly id: string }>(
  asker: Asker,
  subject: ReadSubject,
  name: string,
  operation: (http: Http) => Promise<Snapshot<R>>,
): Promise<SourceReport<R>> {
  const { source, options, credential, opened } = asker;
  const read = beginRead(options.record, source.key, subject);
  const started = performance.now();
  let came: SourceReport<R>;
  if (credential instanceof SourceError) came = failed(opened, credential, null);
  else {
    try {
      const snapshot = await source.upstream.run(name, credential, options.signal, operation, read);
      came = reportOf(opened, snapshot, elapsed(started));
    } catch (error) {
      came = failed(opened, faultOf(error, options), read.called || read.joined ? elapsed(started) : null);
    }
  }
  read.state = came.state;
  read.code = came.error?.code ?? null;
  read.durationMs = came.durationMs;
  const { serial, fetchedAt: at } = came;
  const rows = came.rows as readonly unknown[] as readonly Webhook[];
  if (subject === 'webhooks' && serial !== null && at !== null)
    options.onListed({ source: source.key, rows, serial, at });
  read.span?.set({ 'hookgraph.source.state': came.state, 'hookgraph.source.joined': read.joined });
  read.span?.end(came.error?.code);
  return came;
}

/** What went wrong with a read. */
function faultOf(error: unknown, options: SourceOptions): SourceError {
  if (error instanceof SourceError) return error;
  return options.signal.aborted ? callerLeft() : oddity(error, options);
}

/** A fault of ours is told of, and costs the part of the source. */
function oddity(error: unknown, { record, onInternalError }: SourceOptions): SourceError {
  onInternalError(error, record.id);
  return new SourceError('BAD_RESPONSE');
}

/** Makes a write, once, with the key that it needs. Never rejects: it tells what became of it. */
export async function makeWrite<T>(
  { source, options, credential, opened }: Asker,
  operation: (http: WriteHttp) => Promise<T>,
): Promise<Written<T>> {
  const { signal, record } = options;
  // One that nobody waits for any more is not begun.
  if (signal.aborted) return undone(opened, callerLeft(), null);
  const span = record.span?.begin(`write ${source.key}`, { 'hookgraph.source': source.key }) ?? null;
  const work = { requestId: record.id, span, called: false };
  const started = performance.now();
  const refuse = (error: SourceError): Written<T> => {
    span?.end(error.fault.code);
    return undone(opened, error, work.called ? elapsed(started) : null);
  };
  if (credential instanceof SourceError) return refuse(credential);
  try {
    const value = await source.upstream.write(credential, operation, work);
    span?.end();
    return { report: done(opened, elapsed(started)), error: null, value };
  } catch (error) {
    // By then it may have been done.
    const fault = error instanceof SourceError ? error : new UnknownOutcome(oddity(error, options));
    return refuse(fault);
  }
}

function undone<T>(opened: RequestSource, error: SourceError, durationMs: number | null): Written<T> {
  return { report: failed(opened, error, durationMs), error, value: null };
}

/** Milliseconds since then; tenths of one are as much as this clock is worth. */
function elapsed(started: number): number {
  return Math.round((performance.now() - started) * 10) / 10;
}
