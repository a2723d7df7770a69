import { InputError } from './errors.ts';
import { createComparator, createLocator, createSorter, decodeCursor, encodeCursor, type Order } from './order.ts';
import type { Webhook } from './webhook.ts';

/** The arguments of a Relay connection. null and undefined are the same. */
export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** One page of an ordered list. */
export interface Page<R = Webhook> {
  readonly rows: readonly R[];
  cursor(row: R): string;
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** The rows of a page whose size is not given. */
export const defaultSize = 100;
const largestSize = 1000;

/** How many rows a page has at most, given the size that was asked for, which need not be a valid one. */
export function largestPage(size: number | null | undefined): number {
  return Math.min(Math.max(size ?? defaultSize, 1), largestSize);
}

/** Cuts pages out of `order`. Throws an `InputError` at once where the arguments contradict each other or the order. */
export function createPager(
  args: PageArguments,
  order: Order,
  providerOf: (source: string) => string,
): (rows: readonly Webhook[]) => Page {
  if (args.first != null && args.last != null) throw new InputError('first, last: pass one of them, not both.');
  const size = checkSize('first', args.first) ?? checkSize('last', args.last) ?? defaultSize;
  const after = args.after == null ? null : decodeCursor('after', args.after, order);
  const before = args.before == null ? null : decodeCursor('before', args.before, order);
  const locate = createLocator(order.field, providerOf);
  const compare = createComparator(order.direction);
  const sort = createSorter(order, providerOf);

  return (rows) => {
    const sorted = sort(rows);
    // Where the row of a cursor would stand: it may be gone since.
    const start = after ? countWhile(sorted, (row) => compare(locate(row), after) <= 0) : 0;
    const end = before ? countWhile(sorted, (row) => compare(locate(row), before) < 0) : sorted.length;
    const from = args.last == null ? start : Math.max(start, end - size);
    const to = Math.max(from, args.last == null ? Math.min(end, start + size) : end);
    return {
      rows: sorted.slice(from, to),
      cursor: (row) => encodeCursor(order, locate(row)),
      hasNextPage: to < sorted.length,
      hasPreviousPage: from > 0,
    };
  };
}

/** The size that was asked for, null where none was. Throws an `InputError` for one that no page has. */
export function checkSize(argument: string, size: number | null | undefined): number | null {
  if (size == null) return null;
  if (size < 1 || size > largestSize) throw new InputError(`${argument}: ${size} is not from 1 to ${largestSize}.`);
  return size;
}

/** How many items at the start of a list hold. */
export function countWhile<T>(items: readonly T[], holds: (item: T) => boolean): number {
  const index = items.findIndex((item) => !holds(item));
  return index === -1 ? items.length : index;
}
