import { SourceError, type SourceFault } from '../errors.ts';
import type { Webhook } from '../webhook.ts';

/** One source's list as it was read. Immutable: requests may share it. */
export interface Snapshot<W extends Webhook = Webhook> {
  readonly rows: readonly W[];
  /** Rows that were there and could not be read. */
  readonly rejected: number;
  /** Why rows are missing that the source may have; null where the list is whole. */
  readonly shortfall: SourceFault | null;
}

/** More rows than anybody has webhooks. A body has room for millions that are none, which would hold up everybody for seconds. */
const mostRows = 50_000;

/**
 * Reads a list row by row: what `read` answers null to, and an id that was already there, is counted as rejected and
 * costs no other row (`upstreams.md` part C). Throws a `SourceError` TOO_LARGE for more rows than any list has.
 */
export function readRows<W extends Webhook>(
  raw: readonly unknown[],
  read: (row: unknown) => W | null,
): Pick<Snapshot<W>, 'rows' | 'rejected'> {
  if (raw.length > mostRows) throw new SourceError('TOO_LARGE', { httpStatus: 200 });
  const rows = new Map<string, W>();
  for (const item of raw) {
    const row = read(item);
    if (row && !rows.has(row.id)) rows.set(row.id, freeze(row));
  }
  return { rows: Object.freeze([...rows.values()]), rejected: raw.length - rows.size };
}

function freeze<W extends Webhook>(row: W): W {
  Object.freeze(row.events);
  Object.freeze(row.lastDelivery);
  return Object.freeze(row);
}
