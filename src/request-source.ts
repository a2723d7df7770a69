import DataLoader from 'dataloader';
import type { Delivery } from './delivery.ts';
import { InputError, SourceError, SourceFailure, type SourceFault, UnknownOutcome } from './errors.ts';
import { createLine, type Line } from './line.ts';
import type { Operations, Provider } from './providers/provider.ts';
import { beginRead, type ReadSubject, type RequestRecord } from './request.ts';
import type { Turn } from './turns.ts';
import type { Http, WriteHttp } from './upstream/calls.ts';
import type { Upstream } from './upstream/http.ts';
import type { Snapshot } from './upstream/snapshot.ts';
import type { Webhook } from './webhook.ts';

/** One source as the program was configured with it. */
export interface Source {
  readonly key: string;
  readonly provider: Provider;
  readonly upstream: Upstream;
}

/** The headers that carry a key, as its provider wants it. */
export type Authorization = Readonly<Record<string, string>>;

/** Finds what a request authenticates itself with at a source, or why there is nothing. */
export type FindCredential = (source: Source) => Authorization | SourceError;

/** What became of asking one source something in one request. */
export type SourceReport<R = Webhook> = SourceReading<R> & Outcome;

/** Whether what came is all that the source has, and if not, why. */
type Outcome =
  | { readonly state: 'OK'; readonly error: null }
  | { readonly state: 'PARTIAL' | 'FAILED'; readonly error: SourceFault };

interface SourceReading<R> {
  readonly source: RequestSource;
  readonly rows: readonly R[];
  /** The same for the same rows, whoever asked; null where there are none. */
  readonly serial: number | null;
  readonly rejectedCount: number;
  /** When the answer was read, in milliseconds since the epoch; null where there was none. */
  readonly fetchedAt: number | null;
  /** null where no call was made. */
  readonly durationMs: number | null;
}

/** What became of a write. */
export interface Written<T> {
  /** Without rows: a write reads none. */
  readonly report: SourceReport<never>;
  /** Why it was not done, or an `UnknownOutcome`; null where it was done. */
  readonly error: SourceError | null;
  /** What the answer shows; null where it was not done, too. */
  readonly value: T | null;
}

/** One source within one request. However often it is asked for its list, its upstream is called once. */
export interface RequestSource {
  readonly __typename: 'WebhookSource';
  readonly key: string;
  readonly provider: Provider;
  /** What may be asked of it through this graph. */
  capabilities(): readonly (keyof Operations)[];
  /** Never rejects: a failure is a report. Those who work on the rows `read` them. */
  ask(): Promise<SourceReport>;
  /** Asks, and waits for the turn to work on the rows. */
  read(): Promise<SourceReport>;
  wasAsked(): boolean;
  /** One webhook by the provider's own id; null if it is not there. Rejects with a `SourceFailure` if that cannot be told. */
  load(externalId: string): Promise<Webhook | null>;
  /**
   * What the log of one webhook says, by the provider's own id: one call each, a few at a time. Never rejects, but with an
   * `InputError` for more logs than one request may read.
   */
  readDeliveries(externalId: string): Promise<SourceReport<Delivery>>;
  /**
   * Makes a write, once, and forgets what was read before: what is read next was asked for after it. Never rejects: a
   * failure is a report.
   */
  write<T>(operation: (http: WriteHttp) => Promise<T>): Promise<Written<T>>;
}

/** What one request asks its sources with. */
export interface SourceOptions {
  readonly record: RequestRecord;
  readonly findCredential: FindCredential;
  /** Whether webhooks may be changed. */
  readonly writes: boolean;
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal;
  readonly turn: Turn;
  /** Told of faults of our own in asking a source, which cost that source's part and nobody else's. */
  onInternalError(error: unknown, requestId?: string): void;
}

/** Logs that one request reads at one source: a provider with a log has ten webhooks at most, today. */
const mostLogs = 20;
/** Of these, so many at once. */
const logsAtOnce = 4;
const readingOperations: readonly (keyof Operations)[] = ['list', 'deliveries'];

/** Opens a source for one request. */
export function openSource(source: Source, options: SourceOptions): RequestSource {
  const { key, provider, upstream } = source;
  const { record, signal, writes } = options;
  const credential = options.findCredential(source);
  let asked: Promise<SourceReport> | undefined;
  let report: Promise<SourceReport> | undefined;
  // One loader a source: one over several would settle all of them at the pace of the slowest.
  let loader: DataLoader<string, Webhook | null> | undefined;
  let logs: Map<string, Promise<SourceReport<Delivery>>> | undefined;
  let inLine: Line | undefined;

  async function loadAll(externalIds: readonly string[]): Promise<(Webhook | SourceFailure | null)[]> {
    const { rows, state, error } = await opened.read();
    const byId = new Map(rows.map((row) => [row.externalId, row]));
    const missing = state === 'OK' ? null : new SourceFailure(key, state, error);
    return externalIds.map((externalId) => byId.get(externalId) ?? missing);
  }

  /** What is done with rows, up to the text of the answer, holds up the event loop: for those who left, nothing is done. */
  async function afterTurn<R>(read: SourceReport<R>): Promise<SourceReport<R>> {
    await options.turn.take();
    return signal.aborted ? failed(opened, new SourceError('UNREACHABLE'), read.durationMs) : read;
  }

  /** Asks something of the source, and notes on the record of the request what became of it. */
  async function recordRead<R extends { readonly id: string }>(
    subject: ReadSubject,
    name: string,
    operation: (http: Http) => Promise<Snapshot<R>>,
  ): Promise<SourceReport<R>> {
    const read = beginRead(record, key, subject);
    const started = performance.now();
    let came: SourceReport<R>;
    if (credential instanceof SourceError) came = failed(opened, credential, null);
    else {
      try {
        const snapshot = await upstream.run(name, credential, signal, operation, read);
        came = judge(opened, snapshot, elapsed(started));
      } catch (error) {
        came = failed(opened, faultOf(error), elapsed(started));
      }
    }
    read.state = came.state;
    read.code = came.error?.code ?? null;
    read.durationMs = came.durationMs;
    read.serial = came.serial;
    read.fetchedAt = came.fetchedAt;
    if (subject === 'webhooks') read.rows = came.rows as readonly unknown[] as readonly Webhook[];
    read.span?.set({ 'hookgraph.source.state': came.state, 'hookgraph.source.joined': read.joined });
    read.span?.end(came.error?.code);
    return came;
  }

  /** What went wrong with a read of the source. */
  function faultOf(error: unknown): SourceError {
    if (error instanceof SourceError) return error;
    return signal.aborted ? callerLeft() : oddity(error);
  }

  /** A fault of ours is told of, and costs the part of the source. */
  function oddity(error: unknown): SourceError {
    options.onInternalError(error, record.id);
    return new SourceError('BAD_RESPONSE');
  }

  function undone<T>(error: SourceError, durationMs: number | null): Written<T> {
    return { report: failed(opened, error, durationMs), error, value: null };
  }

  /** Makes a write, with the key that it needs, and tells what became of it. */
  async function makeWrite<T>(operation: (http: WriteHttp) => Promise<T>): Promise<Written<T>> {
    const span = record.span?.begin(`write ${key}`, { 'hookgraph.source': key }) ?? null;
    const started = performance.now();
    const refuse = (error: SourceError, durationMs: number | null): Written<T> => {
      span?.end(error.fault.code);
      return undone(error, durationMs);
    };
    if (credential instanceof SourceError) return refuse(credential, null);
    try {
      const value = await upstream.write(credential, operation, { requestId: record.id, span });
      span?.end();
      return { report: done(opened, elapsed(started)), error: null, value };
    } catch (error) {
      // By then it may have been done.
      return refuse(error instanceof SourceError ? error : new UnknownOutcome(oddity(error)), elapsed(started));
    }
  }

  const opened: RequestSource = {
    __typename: 'WebhookSource',
    key,
    provider,
    capabilities() {
      const all = Object.keys(provider.operations) as (keyof Operations)[];
      return writes ? all : all.filter((name) => readingOperations.includes(name));
    },
    ask() {
      asked ??= recordRead('webhooks', 'list', (http) => provider.operations.list(http, key));
      return asked;
    },
    read() {
      report ??= opened.ask().then(afterTurn);
      return report;
    },
    wasAsked: () => asked !== undefined,
    load(externalId) {
      loader ??= new DataLoader<string, Webhook | null>(loadAll);
      return loader.load(externalId);
    },
    async readDeliveries(externalId) {
      const { deliveries } = provider.operations;
      if (!deliveries) throw new Error(`${key} has no log of deliveries.`);
      logs ??= new Map();
      inLine ??= createLine(logsAtOnce);
      const known = logs.get(externalId);
      if (known) return known;
      if (logs.size >= mostLogs) {
        throw new InputError(`deliveries: at most ${mostLogs} webhooks at once. Ask for smaller pages of webhooks.`);
      }
      const log = inLine(() =>
        recordRead('deliveries', `deliveries ${externalId}`, (http) => deliveries(http, key, externalId)),
      ).then(afterTurn);
      logs.set(externalId, log);
      return log;
    },
    async write(operation) {
      // A write that nobody waits for any more is not begun.
      if (signal.aborted) return undone(callerLeft(), null);
      const written = await makeWrite(operation);
      asked = undefined;
      report = undefined;
      loader = undefined;
      logs = undefined;
      return written;
    },
  };
  return opened;
}

function callerLeft(): SourceError {
  return new SourceError('UNREACHABLE', { message: 'The caller left.' });
}

/** Milliseconds since then; tenths of one are as much as this clock is worth. */
function elapsed(started: number): number {
  return Math.round((performance.now() - started) * 10) / 10;
}

function judge<R extends { readonly id: string }>(
  source: RequestSource,
  { serial, rows, rejected, shortfall }: Snapshot<R>,
  durationMs: number | null,
): SourceReport<R> {
  const error = shortfall ?? (rejected === 0 ? null : unreadRows(rejected, rows.length + rejected));
  const fetchedAt = Date.now();
  if (!error) return { source, state: 'OK', error, rows, serial, rejectedCount: 0, fetchedAt, durationMs };
  const reading = { source, error, rows, rejectedCount: rejected, durationMs };
  if (rows.length === 0) return { ...reading, state: 'FAILED', serial: null, fetchedAt: null };
  return { ...reading, state: 'PARTIAL', serial, fetchedAt };
}

function unreadRows(rejected: number, all: number): SourceFault {
  return new SourceError('BAD_RESPONSE', {
    httpStatus: 200,
    message: `${rejected} of ${all} rows could not be read, or came twice.`,
  }).fault;
}

function failed<R>(source: RequestSource, { fault }: SourceError, durationMs: number | null): SourceReport<R> {
  const nothing = { rows: [], serial: null, rejectedCount: 0, fetchedAt: null };
  return { source, state: 'FAILED', error: fault, ...nothing, durationMs };
}

function done(source: RequestSource, durationMs: number | null): SourceReport<never> {
  return { source, state: 'OK', error: null, rows: [], serial: null, rejectedCount: 0, fetchedAt: null, durationMs };
}
