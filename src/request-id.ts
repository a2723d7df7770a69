import { randomFillSync } from 'node:crypto';

const idBytes = 16;
/** Random bytes for the ids to come. */
const pool = Buffer.alloc(256 * idBytes);
let used = pool.length;

/**
 * Makes an id that no other request has: 32 hexadecimal digits. (Node puts a UUID together of twenty pieces, and V8 writes the line
 * of the log that such a text is in on a slower path.)
 */
export function createRequestId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += idBytes;
  return pool.toString('hex', used - idBytes, used);
}
