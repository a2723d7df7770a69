import type { RequestSource, SourceReport } from './request-source.ts';
import { SourceError, type SourceFault, type SourceLack } from './source-error.ts';
import type { Snapshot } from './upstream/snapshot.ts';

/** What a list that was read says of its source: rows that could not be read make it a part, or nothing. */
export function reportOf<R extends { readonly id: string }>(
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

/** What is missing by a report; null where nothing is. */
export function lackOf({ source, state, error }: SourceReport<unknown>): SourceLack | null {
  return state === 'OK' ? null : { source: source.key, state, fault: error };
}

/** Nothing came. */
export function failed<R>(source: RequestSource, { fault }: SourceError, durationMs: number | null): SourceReport<R> {
  const nothing = { rows: [], serial: null, rejectedCount: 0, fetchedAt: null };
  return { source, state: 'FAILED', error: fault, ...nothing, durationMs };
}

/** A write was done, which reads nothing. */
export function done(source: RequestSource, durationMs: number | null): SourceReport<never> {
  return { source, state: 'OK', error: null, rows: [], serial: null, rejectedCount: 0, fetchedAt: null, durationMs };
}

/** The same, for who left meanwhile: nobody is to work on its rows. */
export function withheld<R>({ source, durationMs }: SourceReport<R>): SourceReport<R> {
  return failed(source, callerLeft(), durationMs);
}

/** Why nothing came, or nothing was done, for who left. */
export function callerLeft(): SourceError {
  return new SourceError('UNREACHABLE', { message: 'The caller left.' });
}
