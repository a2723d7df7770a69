import { LRUCache } from 'lru-cache';

/** Bytes of a body from `start` up to `end`, not included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds the bytes of a body that do not count when it is compared with the next: the text between the quotes of one JSON
 * string, which nothing was made of. null where every byte counts. `value` is what was read of the body.
 */
export type FindVolatile<T> = (body: Buffer, value: T) => Span | null;

/** What was made of the bodies that came last, so that nothing is made again of a body that came again. */
export interface Reuse {
  /**
   * What is known of the last body under `key`, if this one says the same, byte for byte. It has no value the first time: where
   * bodies change all the time, what is made of them is not kept.
   */
  find(key: string, body: Buffer): { readonly value?: object } | undefined;
  keep(key: string, body: Buffer, span: Span | null, value?: object): void;
}

interface Kept {
  readonly body: Buffer;
  readonly span: Span | null;
  readonly value?: object;
}

/** Bodies that are kept, and what they and all that was made of them may take. */
const most = { max: 2000, maxSize: 33_554_432 };
/** What the rows that were made of a body take, in bytes of the body. */
const rowsPerByte = 3;

/** Keeps nothing yet, and never more than some 32 MiB: what was used longest ago goes first. */
export function createReuse(): Reuse {
  const kept = new LRUCache<string, Kept>({
    ...most,
    sizeCalculation: ({ body, value }) => body.buffer.byteLength + (value ? rowsPerByte * body.length : 0) + 1,
  });
  return {
    find(key, body) {
      const last = kept.get(key);
      return last && saysTheSame(last, body) ? last : undefined;
    },
    keep(key, body, span, value) {
      // What came may be a small part of a large buffer.
      const own = body.length * 2 < body.buffer.byteLength ? Buffer.from(body) : body;
      kept.set(key, { body: own, span, ...(value && { value }) });
    },
  };
}

/** Keeps nothing, ever. */
export const noReuse: Reuse = { find: () => undefined, keep() {} };

function saysTheSame({ body: last, span }: Kept, body: Buffer): boolean {
  if (!span) return last.equals(body);
  const end = body.length - (last.length - span.end);
  if (end < span.start || !isPlainText(body, { start: span.start, end })) return false;
  return (
    last.compare(body, 0, span.start, 0, span.start) === 0 &&
    last.compare(body, end, body.length, span.end, last.length) === 0
  );
}

const quote = 0x22;
const backslash = 0x5c;

/** Whether these bytes are visible ASCII, and would neither end a JSON string nor escape anything in it. */
export function isPlainText(body: Buffer, { start, end }: Span): boolean {
  for (let index = start; index < end; index++) {
    const byte = body[index] ?? 0;
    if (byte < 0x20 || byte > 0x7e || byte === quote || byte === backslash) return false;
  }
  return true;
}
