import type { ErrorPlace } from './errors.ts';
import { openSource } from './open-source.ts';
import type { EndedWrite, RequestRecord } from './request.ts';
import type { RequestSource, Source, SourceOptions } from './request-source.ts';
import type { SourceLack } from './source-error.ts';
import type { Turn } from './turns.ts';
import type { Webhook } from './webhook.ts';

/** What resolvers work with: made anew for every request, so that nothing is shared between two. */
export interface Context {
  readonly record: RequestRecord;
  /** The sources of this graph by their key, in the order in which they are shown. */
  readonly sources: ReadonlyMap<string, RequestSource>;
  /** What a failed source does to a list whose query asks for neither `sources` nor `complete`. */
  readonly partialResults: 'rows' | 'null';
  /** What belongs beside data as errors, added to the answer when execution is done. */
  readonly failures: { readonly lack: SourceLack; readonly place: ErrorPlace }[];
  /** Waited for before rows are worked on. */
  readonly turn: Turn;
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal;
  /** Whether webhooks may be changed. */
  readonly writes: boolean;
  /** Writes that are under way: they go on where whoever asked for them left. */
  readonly writing: Set<Promise<unknown>>;
  /** Told of each write when it ended, be it that it was refused before any call. */
  onWrite(record: RequestRecord, write: EndedWrite): void;
}

/** The source that a row was read from. */
export function sourceOf({ source }: Pick<Webhook, 'source'>, { sources }: Context): RequestSource {
  const found = sources.get(source);
  if (!found) throw new Error(`A row names the source ${source}, which this request has not.`);
  return found;
}

/** What a context is made for. */
export interface ContextOptions extends SourceOptions {
  readonly sources: readonly Source[];
  readonly partialResults: Context['partialResults'];
  /** Where writes are under way that others wait for, too; none if not given. */
  readonly writing?: Context['writing'];
  onWrite: Context['onWrite'];
}

/** Opens all sources for one request. */
export function createContext(options: ContextOptions): Context {
  const { record, sources, partialResults, writes, writing = new Set(), turn, signal, onWrite } = options;
  const opened = sources.map((source) => [source.key, openSource(source, options)] as const);
  return { record, sources: new Map(opened), partialResults, failures: [], turn, signal, writes, writing, onWrite };
}
