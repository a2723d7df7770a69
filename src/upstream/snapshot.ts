import { SourceError, type SourceFault } from '../source-error.ts';
import type { Webhook } from '../webhook.ts';

/** What a list is made of. */
interface Row {
  readonly id: string;
}

/** A list as it was read. Immutable: requests may share it. */
export interface Snapshot<R extends Row = Webhook> {
  /** Tells it from every other of this process: where it is the same, so is everything that was made of the list. */
  readonly serial: number;
  readonly rows: readonly R[];
  /** Rows that were there and could not be read. */
  readonly rejected: number;
  /** Why rows are missing that the source may have; null where the list is whole. */
  readonly shortfall: SourceFault | null;
}

/** More rows than anybody has webhooks. A body has room for millions that are none, which would hold up everybody for seconds. */
const mostRows = 50_000;

/**
 * Reads rows one by one; null stands for one that `read` could make nothing of, which costs no other row (`upstreams.md`
 * part C). Throws a `SourceError` TOO_LARGE for more rows than any list has.
 */
export function readRows<R extends Row>(
  raw: readonly unknown[],
  read: (row: unknown) => R | null,
): readonly (R | null)[] {
  checkNumber(raw);
  return raw.map((item) => {
    const row = read(item);
    // Requests share it. What is in it is ours alone to write: freezing that, too, takes as long as to read it.
    return row && Object.freeze(row);
  });
}

/** Makes a list of rows, which are its own from then on. Those that could not be read, and those whose id was already there, are counted as rejected. */
export function createSnapshot<R extends Row>(
  all: readonly (R | null)[],
  shortfall: SourceFault | null = null,
): Snapshot<R> {
  checkNumber(all);
  const read = all.includes(null) ? all.filter((row) => row !== null) : (all as readonly R[]);
  const rows = areSurelyDistinct(read) ? read : withoutRepeated(read);
  serials += 1;
  return { serial: serials, rows: Object.freeze(rows), rejected: all.length - rows.length, shortfall };
}

let serials = 0;

/**
 * Whether no two ids are the same, as no two of their marks are. (A set of ids would make each a name in V8's table of names, and to
 * sort them compares whole texts: each takes three times as long, or longer.)
 */
function areSurelyDistinct(rows: readonly Row[]): boolean {
  const marks = new Int32Array(rows.length);
  rows.forEach(({ id }, place) => {
    marks[place] = markOf(id);
  });
  marks.sort();
  for (let place = 1; place < marks.length; place++) if (marks[place] === marks[place - 1]) return false;
  return true;
}

/** Ids mostly differ at their end. */
const markedCharacters = 8;

/** A number that is the same for the same id, and seldom for another. */
function markOf(id: string): number {
  let mark = 0;
  for (let place = Math.max(0, id.length - markedCharacters); place < id.length; place++) {
    mark = (Math.imul(mark, 31) + id.charCodeAt(place)) | 0;
  }
  return mark;
}

/** The first row of each id. */
function withoutRepeated<R extends Row>(rows: readonly R[]): R[] {
  const ids = new Set<string>();
  return rows.filter(({ id }) => ids.size < ids.add(id).size);
}

function checkNumber({ length }: readonly unknown[]): void {
  if (length > mostRows) throw new SourceError('TOO_LARGE', { httpStatus: 200 });
}
