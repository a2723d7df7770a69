import { LRUCache } from 'lru-cache';
import { InputError } from './errors.ts';
import { healths, type Webhook } from './webhook.ts';

/** What a list is ordered by, and from which end. */
export interface Order {
  readonly field: 'URL' | 'LAST_DELIVERY_AT' | 'CREATED_AT' | 'HEALTH' | 'PROVIDER';
  readonly direction: 'ASC' | 'DESC';
}

/** Where a row stands in an order: the value it is ordered by, and what tells it from rows of equal value. */
export interface Position {
  readonly value: string | number | null;
  readonly source: string;
  readonly externalId: string;
}

/** The position of rows, given how a source's key leads to its provider. */
export function createLocator(
  field: Order['field'],
  providerOf: (source: string) => string,
): (row: Webhook) => Position {
  const value = valueReader(field, providerOf);
  return (row) => ({ value: value(row), source: row.source, externalId: row.externalId });
}

function valueReader(
  field: Order['field'],
  providerOf: (source: string) => string,
): (row: Webhook) => Position['value'] {
  if (field === 'URL') return (row) => row.url;
  if (field === 'LAST_DELIVERY_AT') return (row) => row.lastDelivery?.at ?? null;
  if (field === 'CREATED_AT') return (row) => row.createdAt;
  if (field === 'HEALTH') return (row) => healths.indexOf(row.health);
  return (row) => providerOf(row.source);
}

/** Compares positions: nulls last in both directions, equal values by source, then by id in ascending order. */
export function createComparator(direction: Order['direction']): (a: Position, b: Position) => number {
  return compareBy(direction, ({ value }) => value);
}

/** Where the rows of the last list stood before it was sorted, by the order and the number of rows: no more than a guess. */
const lastPlaces = new LRUCache<string, readonly number[]>({
  maxSize: 4_194_304,
  // An empty list takes some room, too: a size of 0 is refused.
  sizeCalculation: (places) => places.length * 8 + 100,
});

/** Sorts rows by their positions. Where they changed and none of them moved, which is usual, that is seen and they are not sorted. */
export function createSorter(
  { field, direction }: Order,
  providerOf: (source: string) => string,
): (rows: readonly Webhook[]) => readonly Webhook[] {
  const compare = compareBy(direction, valueReader(field, providerOf));
  return (rows) => {
    const name = `${field} ${direction} ${rows.length}`;
    // As many, so at every place is a row.
    const guess = lastPlaces.get(name)?.map((place) => rows[place] as Webhook);
    if (guess && isSorted(guess, compare)) return guess;
    const sorted = rows.map((row, place) => ({ row, place })).sort((a, b) => compare(a.row, b.row));
    lastPlaces.set(
      name,
      sorted.map(({ place }) => place),
    );
    return sorted.map(({ row }) => row);
  };
}

function isSorted<T>(items: readonly T[], compare: (a: T, b: T) => number): boolean {
  for (let place = 1; place < items.length; place++) {
    if (compare(items[place - 1] as T, items[place] as T) > 0) return false;
  }
  return true;
}

/** Compares whatever has a value, nulls last in both directions; equal values by source, then by id in ascending order. */
export function compareBy<T extends Pick<Position, 'source' | 'externalId'>>(
  direction: Order['direction'],
  valueIn: (item: T) => Position['value'],
): (a: T, b: T) => number {
  const sign = direction === 'ASC' ? 1 : -1;
  return (a, b) => {
    const x = valueIn(a);
    const y = valueIn(b);
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1;
    } else {
      if (x < y) return -sign;
      if (x > y) return sign;
    }
    if (a.source !== b.source) return a.source < b.source ? -1 : 1;
    return compareIds(a.externalId, b.externalId);
  };
}

/** Whole numbers by value, whatever their size, before everything else as text. */
function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  const numbers = Number(isWhole(b)) - Number(isWhole(a));
  if (numbers !== 0) return numbers;
  if (isWhole(a) && a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

function isWhole(text: string): boolean {
  return /^(0|[1-9]\d*)$/.test(text);
}

/** An opaque cursor: the position, bound to the order that it belongs to. */
export function encodeCursor({ field, direction }: Order, { value, source, externalId }: Position): string {
  return writeCursor([field, direction, value, source, externalId]);
}

/** The position of a cursor. Throws an `InputError` for text that is no cursor, and for one of another order. */
export function decodeCursor(argument: string, cursor: string, order: Order): Position {
  const parts = readCursor(cursor);
  if (!isCursorParts(parts)) throw notACursor(argument);
  const [field, direction, value, source, externalId] = parts;
  if (field !== order.field || direction !== order.direction) {
    throw new InputError(
      `${argument}: the cursor belongs to another order. Repeat the orderBy of the page that it came from.`,
    );
  }
  if (value !== null && typeof value !== (field === 'HEALTH' ? 'number' : 'string')) throw notACursor(argument);
  return { value, source, externalId };
}

/** The caller's mistake of passing what this list gave to nobody. */
export function notACursor(argument: string): InputError {
  return new InputError(`${argument}: not a cursor of this list. Pass a cursor as a page gave it.`);
}

/** What is in a cursor, of whichever list; undefined for text that is no cursor. */
export function readCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}

/** An opaque cursor that holds this. */
export function writeCursor(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function isCursorParts(parts: unknown): parts is [string, string, Position['value'], string, string] {
  if (!Array.isArray(parts) || parts.length !== 5) return false;
  const [field, direction, value, source, externalId] = parts;
  const texts = [field, direction, source, externalId].every((part) => typeof part === 'string');
  return texts && (value === null || typeof value === 'string' || typeof value === 'number');
}
