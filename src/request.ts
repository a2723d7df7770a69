import { performance } from 'node:perf_hooks';
import { createRequestId } from './request-id.ts';
import type { SourceErrorCode } from './source-error.ts';
import type { Span } from './span.ts';
import type { Webhook } from './webhook.ts';

/** What callers may be allowed to do. */
export const scopes = ['webhooks:read', 'webhooks:write', 'webhooks:payloads'] as const;

export type Scope = (typeof scopes)[number];

/** Who sent a request, as its token says. */
export interface Caller {
  /** For logs and rate limits; never the token. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** Who asks for no more than a page without data. */
export const nobody: Caller = { name: 'nobody', scopes: new Set() };

/** Where a request goes: to the graph, to what operators ask, or nowhere. */
export type Route = 'graphql' | 'probe' | 'other';

/** What a request asks of the graph. */
export interface Operation {
  /** As the document names it, at most 64 characters; null where it has no name. */
  readonly name: string | null;
  /** null where the document has no operation that could be meant. */
  readonly type: 'query' | 'mutation' | 'subscription' | null;
  /** The first 16 hex digits of the SHA-256 of the document's text. */
  readonly hash: string;
}

/** What a request asks a source for: its list, or the log of one webhook. */
export type ReadSubject = 'webhooks' | 'deliveries';

/** One source as a request read it, or began to. */
export interface SourceRead {
  readonly source: string;
  readonly subject: ReadSubject;
  readonly requestId: string;
  /** null where tracing is off. */
  readonly span: Span | null;
  /** A call was made for it. */
  called: boolean;
  /** It took part in a call that another request had begun. */
  joined: boolean;
  /** null until it is known, and for ever where the request ended before. */
  state: 'OK' | 'PARTIAL' | 'FAILED' | null;
  /** Why not all came. */
  code: SourceErrorCode | null;
  durationMs: number | null;
}

/** Webhooks of a source as a request read them. */
export interface ReadList {
  readonly source: string;
  readonly rows: readonly Webhook[];
  /** Tells the list from others. */
  readonly serial: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a mutation may do. */
export const writeActions = ['create', 'update', 'delete', 'redeliver'] as const;

export type WriteAction = (typeof writeActions)[number];

/** Why a write was not done, or that nobody knows. */
export const writeErrorCodes = [
  'INVALID',
  'NOT_FOUND',
  'UNSUPPORTED_BY_PROVIDER',
  'WRITES_DISABLED',
  'LIMIT_REACHED',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'SOURCE_FAILED',
  'OUTCOME_UNKNOWN',
] as const;

export type WriteErrorCode = (typeof writeErrorCodes)[number];

/** A write when it has ended. Nothing of what was to be written is in it. */
export interface EndedWrite {
  readonly action: WriteAction;
  /** null where it was not clear which. */
  readonly source: string | null;
  /** The global id of what it was about, as far as there is one; one that was created has it in the end. */
  readonly id: string | null;
  readonly outcome: 'DONE' | WriteErrorCode;
  readonly httpStatus: number | null;
  readonly providerRequestId: string | null;
  /** null where no call was made. */
  readonly durationMs: number | null;
}

/** One request, as far as it is known: filled in as the work on it goes on, and told of once, when it ends. */
export interface RequestRecord {
  /** Goes out as `x-request-id`. */
  readonly id: string;
  readonly route: Route;
  /** By `performance.now()`. */
  readonly startedAt: number;
  /** null where callers are not asked who they are. */
  caller: Caller | null;
  /** null until a document was read, and where none could be. */
  operation: Operation | null;
  /** The document came in full, and with the id that it is to be known by. */
  comesWithId: boolean;
  /** The answer had been made before, and every source says what it said then. */
  isReused: boolean;
  readonly reads: SourceRead[];
  readonly writes: EndedWrite[];
  /** Codes of all errors in the answer. */
  readonly errors: Set<string>;
  /** What is done now is part of it; null where tracing is off. */
  span: Span | null;
}

/** A request of which nothing is known. */
export function createRecord(
  id: string = createRequestId(),
  caller: Caller | null = null,
  route: Route = 'graphql',
): RequestRecord {
  return {
    id,
    route,
    startedAt: performance.now(),
    caller,
    operation: null,
    comesWithId: false,
    isReused: false,
    reads: [],
    writes: [],
    errors: new Set(),
    span: null,
  };
}

/** Notes that a source is being read for a request. */
export function beginRead(record: RequestRecord, source: string, subject: ReadSubject): SourceRead {
  const name = subject === 'webhooks' ? `read ${source}` : `read ${subject} of ${source}`;
  const span = record.span?.begin(name, { 'hookgraph.source': source }) ?? null;
  const read: SourceRead = {
    source,
    subject,
    requestId: record.id,
    span,
    called: false,
    joined: false,
    state: null,
    code: null,
    durationMs: null,
  };
  record.reads.push(read);
  return read;
}

/** What became of an operation; `left` means that its client did not wait. */
export const outcomes = ['whole', 'partial', 'failed', 'refused', 'left'] as const;

export type Outcome = (typeof outcomes)[number];

/** Errors that are faults of ours or of a provider, and not mistakes of the caller. */
const faults = ['INTERNAL_SERVER_ERROR', 'SOURCE_FAILED', 'SOURCE_PARTIAL', 'DEADLINE_EXCEEDED', 'OVERLOADED'];

const writeFaults: readonly EndedWrite['outcome'][] = ['SOURCE_FAILED', 'OUTCOME_UNKNOWN'];

/** Judges an operation by the status of its answer, which is null where the client did not get all of it. */
export function outcomeOf({ reads, writes, errors }: RequestRecord, status: number | null): Outcome {
  if (status === null) return 'left';
  const read = reads.filter(({ state }) => state !== null);
  const isFault = faults.some((code) => errors.has(code));
  if (status >= 500 || errors.has('INTERNAL_SERVER_ERROR')) return 'failed';
  const undone = writes.filter(({ outcome }) => outcome !== 'DONE');
  if (undone.length > 0) {
    if (undone.length < writes.length) return 'partial';
    return undone.some(({ outcome }) => writeFaults.includes(outcome)) ? 'failed' : 'refused';
  }
  if (read.some(({ state }) => state !== 'OK'))
    return read.every(({ state }) => state === 'FAILED') ? 'failed' : 'partial';
  if (isFault) return read.length > 0 ? 'partial' : 'failed';
  return status >= 400 || errors.size > 0 ? 'refused' : 'whole';
}

/** Whether a request may do what needs this scope: where callers are not asked who they are, all may. */
export function isAllowed({ caller }: Pick<RequestRecord, 'caller'>, scope: Scope): boolean {
  return caller === null || caller.scopes.has(scope);
}
