import DataLoader from 'dataloader';
import { type ErrorPlace, SourceError, SourceFailure, type SourceFault } from './errors.ts';
import type { Operations, Provider } from './providers/provider.ts';
import { beginRead, type RequestRecord, type SourceRead } from './request.ts';
import type { Turn } from './turns.ts';
import type { Http, Upstream } from './upstream/http.ts';
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

/** What became of reading one source in one request. */
export type SourceReport = SourceReading & Outcome;

/** Whether the rows are all that the source has, and if not, why. */
type Outcome =
  | { readonly state: 'OK'; readonly error: null }
  | { readonly state: 'PARTIAL' | 'FAILED'; readonly error: SourceFault };

interface SourceReading {
  readonly source: RequestSource;
  readonly rows: readonly Webhook[];
  /** The same for the same rows, whoever asked; null where there are none. */
  readonly serial: number | null;
  readonly rejectedCount: number;
  /** When the answer was read, in milliseconds since the epoch; null where there was none. */
  readonly fetchedAt: number | null;
  /** null where no call was made. */
  readonly durationMs: number | null;
}

/** One source within one request. However often it is asked, its upstream is called once. */
export interface RequestSource {
  readonly __typename: 'WebhookSource';
  readonly key: string;
  readonly provider: Provider;
  readonly capabilities: readonly (keyof Operations)[];
  /** Never rejects: a failure is a report. Those who work on the rows `read` them. */
  ask(): Promise<SourceReport>;
  /** Asks, and waits for the turn to work on the rows. */
  read(): Promise<SourceReport>;
  wasAsked(): boolean;
  /** One webhook by the provider's own id; null if it is not there. Rejects with a `SourceFailure` if that cannot be told. */
  load(externalId: string): Promise<Webhook | null>;
}

/** What resolvers work with: made anew for every request, so that nothing is shared between two. */
export interface Context {
  readonly record: RequestRecord;
  /** The sources of this graph by their key, in the order in which they are shown. */
  readonly sources: ReadonlyMap<string, RequestSource>;
  /** What a failed source does to a list whose query asks for neither `sources` nor `complete`. */
  readonly partialResults: 'rows' | 'null';
  /** Errors that belong beside data, added to the answer when execution is done. */
  readonly failures: { readonly failure: SourceFailure; readonly place: ErrorPlace }[];
  /** Waited for before rows are worked on. */
  readonly turn: Turn;
}

/** The source that a row was read from. */
export function sourceOf({ source }: Pick<Webhook, 'source'>, { sources }: Context): RequestSource {
  const found = sources.get(source);
  if (!found) throw new Error(`A row names the source ${source}, which this request has not.`);
  return found;
}

/** What a context is made for. */
export interface ContextOptions {
  readonly record: RequestRecord;
  readonly sources: readonly Source[];
  readonly partialResults: Context['partialResults'];
  readonly findCredential: FindCredential;
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal;
  readonly turn: Turn;
  /** Told of faults of our own in reading a source, which cost that source's rows and nobody else's. */
  onInternalError(error: unknown, requestId?: string): void;
}

/** Opens all sources for one request. */
export function createContext(options: ContextOptions): Context {
  const { record, sources, partialResults } = options;
  const opened = sources.map((source) => [source.key, openSource(source, options)] as const);
  return { record, sources: new Map(opened), partialResults, failures: [], turn: options.turn };
}

type OpenOptions = Pick<ContextOptions, 'record' | 'findCredential' | 'signal' | 'turn' | 'onInternalError'>;

function openSource(source: Source, options: OpenOptions): RequestSource {
  const { key, provider } = source;
  const credential = options.findCredential(source);
  let asked: Promise<SourceReport> | undefined;
  let report: Promise<SourceReport> | undefined;
  // One loader a source: one over several would settle all of them at the pace of the slowest.
  let loader: DataLoader<string, Webhook | null> | undefined;
  async function loadAll(externalIds: readonly string[]): Promise<(Webhook | SourceFailure | null)[]> {
    const { rows, state, error } = await opened.read();
    const byId = new Map(rows.map((row) => [row.externalId, row]));
    const missing = state === 'OK' ? null : new SourceFailure(key, state, error);
    return externalIds.map((externalId) => byId.get(externalId) ?? missing);
  }
  /** What is done with rows, up to the text of the answer, holds up the event loop: for those who left, nothing is done. */
  async function afterTurn(read: SourceReport): Promise<SourceReport> {
    await options.turn.take();
    return options.signal.aborted ? failed(opened, new SourceError('UNREACHABLE').fault, read.durationMs) : read;
  }
  const opened: RequestSource = {
    __typename: 'WebhookSource',
    key,
    provider,
    capabilities: Object.keys(provider.operations) as (keyof Operations)[],
    ask() {
      asked ??= recordRead(opened, source.upstream, credential, options);
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
  };
  return opened;
}

/** Reads a source, and notes on the record of the request what became of it. */
async function recordRead(
  source: RequestSource,
  upstream: Upstream,
  credential: Authorization | SourceError,
  options: OpenOptions,
): Promise<SourceReport> {
  const read = beginRead(options.record, source.key);
  const report = await readSource(source, upstream, credential, options, read);
  const { state, error, durationMs, rows, fetchedAt } = report;
  Object.assign(read, { state, code: error?.code ?? null, durationMs, rows, fetchedAt });
  read.span?.set({ 'hookgraph.source.state': state, 'hookgraph.source.joined': read.joined });
  read.span?.end(error?.code);
  return report;
}

async function readSource(
  source: RequestSource,
  upstream: Upstream,
  credential: Authorization | SourceError,
  { record, signal, onInternalError }: OpenOptions,
  recorded: SourceRead,
): Promise<SourceReport> {
  if (credential instanceof SourceError) return failed(source, credential.fault, null);
  const { key, provider } = source;
  const started = performance.now();
  // Tenths of a millisecond are as much as this clock is worth.
  const elapsed = () => Math.round((performance.now() - started) * 10) / 10;
  try {
    const list = (http: Http) => provider.operations.list(http, key);
    const read = await upstream.run('list', credential, signal, list, recorded);
    return judge(source, read, elapsed());
  } catch (error) {
    if (error instanceof SourceError) return failed(source, error.fault, elapsed());
    onInternalError(error, record.id);
    return failed(source, new SourceError('BAD_RESPONSE').fault, elapsed());
  }
}

function judge(
  source: RequestSource,
  { serial, rows, rejected, shortfall }: Snapshot,
  durationMs: number,
): SourceReport {
  const fault = shortfall ?? (rejected === 0 ? null : unreadRows(rejected, rows.length + rejected));
  if (fault && rows.length === 0) return { ...failed(source, fault, durationMs), rejectedCount: rejected };
  const outcome: Outcome = fault ? { state: 'PARTIAL', error: fault } : { state: 'OK', error: null };
  const fetchedAt = Date.now();
  return { source, ...outcome, rows, serial, rejectedCount: rejected, fetchedAt, durationMs };
}

function unreadRows(rejected: number, all: number): SourceFault {
  return new SourceError('BAD_RESPONSE', {
    httpStatus: 200,
    message: `${rejected} of ${all} rows could not be read, or came twice.`,
  }).fault;
}

function failed(source: RequestSource, error: SourceFault, durationMs: number | null): SourceReport {
  return { source, state: 'FAILED', error, rows: [], serial: null, rejectedCount: 0, fetchedAt: null, durationMs };
}
