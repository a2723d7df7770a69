import type { Delivery } from './delivery.ts';
import { compareDeliveries, newestFirst } from './delivery-log.ts';
import { InputError } from './errors.ts';
import { notACursor, readCursor, writeCursor } from './order.ts';
import { checkSize, countWhile, defaultSize, type Page, type PageArguments } from './page.ts';

/** Which log a page is of. */
export interface LogKey {
  readonly source: string;
  readonly webhookId: string;
}

/** What tells a delivery from every other of its log, and where it stands there. */
type Position = Pick<Delivery, 'at' | 'source' | 'externalId'>;

/** Tells these cursors from those of other lists. */
const kind = 'deliveries';

/**
 * Cuts pages out of one log, the latest attempt first. Its cursors say where an attempt stands and not how many precede it:
 * new ones move nothing. Throws an `InputError` at once where the arguments are wrong.
 */
export function createDeliveryPager(
  { first, after }: Pick<PageArguments, 'first' | 'after'>,
  log: LogKey,
): (deliveries: readonly Delivery[]) => Page<Delivery> {
  const size = checkSize('first', first) ?? defaultSize;
  const last = after == null ? null : decodeCursor('after', after, log);
  return (deliveries) => {
    const sorted = newestFirst(deliveries);
    const from = last ? countWhile(sorted, (it) => compareDeliveries(it, last) <= 0) : 0;
    const to = Math.min(sorted.length, from + size);
    return {
      rows: sorted.slice(from, to),
      cursor: ({ at, externalId }) => writeCursor([kind, log.source, log.webhookId, at, externalId]),
      hasNextPage: to < sorted.length,
      hasPreviousPage: from > 0,
    };
  };
}

function decodeCursor(argument: string, cursor: string, log: LogKey): Position {
  const parts = readCursor(cursor);
  if (!isCursorParts(parts)) throw notACursor(argument);
  const [, source, webhookId, at, externalId] = parts;
  if (source !== log.source || webhookId !== log.webhookId) {
    throw new InputError(`${argument}: the cursor belongs to the deliveries of another webhook.`);
  }
  return { at, source, externalId };
}

function isCursorParts(parts: unknown): parts is [string, string, string, string | null, string] {
  if (!Array.isArray(parts) || parts.length !== 5 || parts[0] !== kind) return false;
  const [, source, webhookId, at, externalId] = parts;
  return [source, webhookId, at ?? '', externalId].every((part) => typeof part === 'string');
}
