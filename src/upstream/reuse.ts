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

/** The body that came last, and what was made of it. */
export interface KnownBody {
  readonly body: Buffer;
  readonly span: Span | null;
  /** Not there the first time: where bodies change all the time, what is made of them is not kept. */
  readonly value?: object;
}

/** What was made of the bodies that came last, so that nothing is made again of a body that came again. */
export interface Reuse {
  find(key: string): KnownBody | undefined;
  keep(key: string, known: KnownBody): void;
}

/** Bodies that are kept, and what they and all that was made of them may take. */
const most = { max: 2000, maxSize: 33_554_432 };
/** What the rows that were made of a body take, in bytes of the body. */
const rowsPerByte = 3;

/** Keeps nothing yet, and never more than some 32 MiB: what was used longest ago goes first. */
export function createReuse(): Reuse {
  const kept = new LRUCache<string, KnownBody>({
    ...most,
    sizeCalculation: ({ body, value }) => body.buffer.byteLength + (value ? rowsPerByte * body.length : 0) + 1,
  });
  return {
    find: (key) => kept.get(key),
    keep(key, known) {
      const { body } = known;
      // What came may be a small part of a large buffer.
      const isSmall = body.length * 2 < body.buffer.byteLength;
      kept.set(key, isSmall ? { ...known, body: Buffer.from(body) } : known);
    },
  };
}

/** Keeps nothing, ever. */
export const noReuse: Reuse = { find: () => undefined, keep() {} };

/** Takes a body in as it comes. */
export interface Collector {
  add(chunk: Buffer): void;
  /** The body that is known, itself, where what came says the same, byte for byte; otherwise what came. */
  end(): Buffer;
}

/** Compares a body with the one that is `known` as it comes: nothing of it is kept, or put together, while they are the same. */
export function createCollector(known: KnownBody | undefined): Collector {
  const chunks: Buffer[] = [];
  const mostSame = known ? (known.span?.start ?? known.body.length) : 0;
  /** Bytes that came, and are the first of the known body. */
  let same = 0;
  return {
    add(chunk) {
      const next = known && chunks.length === 0 ? Math.min(chunk.length, mostSame - same) : 0;
      if (known?.body.compare(chunk, 0, next, same, same + next) !== 0) chunks.push(chunk);
      else {
        same += next;
        if (next < chunk.length) chunks.push(chunk.subarray(next));
      }
    },
    end() {
      const [first] = chunks;
      const rest = first && chunks.length === 1 ? first : Buffer.concat(chunks);
      if (!known) return rest;
      if (same === mostSame && endsTheSame(known, rest)) return known.body;
      return same === 0 ? rest : Buffer.concat([known.body.subarray(0, same), rest]);
    },
  };
}

/** Whether what comes from where the span begins says the same. */
function endsTheSame({ body, span }: KnownBody, rest: Buffer): boolean {
  if (!span) return rest.length === 0;
  const end = rest.length - (body.length - span.end);
  if (end < 0 || !isPlainText(rest, { start: 0, end })) return false;
  return body.compare(rest, end, rest.length, span.end, body.length) === 0;
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
