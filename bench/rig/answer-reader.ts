/**
 * Finds where answers end in what one connection brings, and calls `done` with the head and the length of the body, null with chunks. Knows
 * `content-length` and chunks, and as much of HTTP as servers answer JSON with, no more: a real parser takes longer.
 */
export function createAnswerReader(
  done: (head: string, length: number | null) => void,
): (buffer: Buffer, size: number) => boolean {
  let head = '';
  /** Bytes of the body that are still to come; null while the head is read, infinite with chunks. */
  let left: number | null = null;
  let length: number | null = null;
  /** The last characters, to see the end of the last chunk in. */
  let tail = '';
  return (buffer, size) => {
    let start = 0;
    if (left === null) {
      head += buffer.toString('latin1', 0, size);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return true;
      start = size - (head.length - end - 4);
      head = head.slice(0, end);
      const [, declared] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
      left = declared === undefined ? Number.POSITIVE_INFINITY : Number(declared);
      length = declared === undefined ? null : left;
    }
    if (left === Number.POSITIVE_INFINITY) {
      tail = (tail + buffer.toString('latin1', Math.max(start, size - 5), size)).slice(-5);
      if (tail === '0\r\n\r\n') left = 0;
    } else left -= size - start;
    if (left === 0) {
      const whole = head;
      head = tail = '';
      left = null;
      done(whole, length);
    }
    return true;
  };
}
