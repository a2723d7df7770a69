import type { Delivery } from './delivery.ts';
import type { Operations, Provider } from './providers/provider.ts';
import type { ReadList, RequestRecord } from './request.ts';
import type { SourceError, SourceFault } from './source-error.ts';
import type { Turn } from './turns.ts';
import type { WriteHttp } from './upstream/calls.ts';
import type { Upstream } from './upstream/http.ts';
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
  /** Told of webhooks that a request read, all of a source or a part of them. */
  onListed(list: ReadList): void;
}
