import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { overloaded, type Refusal } from './refusal.ts';

/**
 * The answers that wait to be read. Where there is no room for one more, readers of older ones who took nothing for three
 * seconds are cut off.
 */
export interface Backlog {
  /** Sends an answer whole, or says why there is no room for it. */
  send(response: ServerResponse, status: number, headers: OutgoingHttpHeaders, body: Buffer): Refusal | null;
  /**
   * Sends an answer in pieces, each as soon as it is there, until the reader has them all. Tells whether there was room: its
   * reader is cut off where there is none. Whoever leaves ends the work on what is still to come.
   */
  sendPieces(
    response: ServerResponse,
    status: number,
    headers: OutgoingHttpHeaders,
    pieces: AsyncIterable<Uint8Array>,
  ): Promise<boolean>;
  close(): void;
}

/** Bytes of answers that wait to be read, where nobody says otherwise. */
export const maxWaitingBytes = 33_554_432;

interface Waiting {
  readonly response: ServerResponse;
  readonly bytes: number;
  /** How often it was looked at since its reader took something of it. */
  looks: number;
}

/** What is written at once. Whole answers that are no larger are not counted: `MAX_IN_FLIGHT` bounds those well enough. */
const chunkBytes = 65_536;
const lookMs = 500;
/** Looks, and not time: while the event loop is late, nobody can take anything. */
const mostLooks = 6;

/** Bounds the bytes of all answers that were made and not yet taken, but for one that waits alone. */
export function createBacklog(mostBytes: number): Backlog {
  /** The oldest first. */
  const waiting = new Set<Waiting>();
  let bytes = 0;
  const timer = setInterval(() => {
    for (const answer of waiting) answer.looks += 1;
  }, lookMs).unref();

  function forget(answer: Waiting): void {
    if (waiting.delete(answer)) bytes -= answer.bytes;
  }

  function hasRoom(response: ServerResponse, more: number): boolean {
    const isAlone = () => [...waiting].every((answer) => answer.response === response);
    const fits = () => bytes + more <= mostBytes || isAlone();
    for (const answer of waiting) {
      if (fits()) break;
      if (answer.looks < mostLooks) continue;
      forget(answer);
      // Not the response: one that waits behind another of the same connection has no way to end it.
      answer.response.req.socket.destroy();
    }
    return fits();
  }

  /** Counts so many bytes in, if they are more than one chunk with those that wait already; null where there is no room. */
  function enter(response: ServerResponse, length: number, already = 0): Waiting | null {
    if (already + length <= chunkBytes) return { response, bytes: 0, looks: 0 };
    if (!hasRoom(response, length)) return null;
    const answer = { response, bytes: length, looks: 0 };
    waiting.add(answer);
    bytes += length;
    return answer;
  }

  /** In chunks, because nothing tells how much was taken of one. */
  function write(answer: Waiting, rest: Buffer, then: (last: Buffer) => void): void {
    if (rest.length <= chunkBytes) {
      then(rest);
      return;
    }
    answer.response.write(rest.subarray(0, chunkBytes), (error) => {
      if (error) return;
      answer.looks = 0;
      write(answer, rest.subarray(chunkBytes), then);
    });
  }

  return {
    send(response, status, headers, body) {
      const answer = enter(response, body.length);
      if (!answer) return noRoom;
      if (answer.bytes > 0) response.on('close', () => forget(answer));
      response.writeHead(status, { ...headers, 'content-length': body.length });
      write(answer, body, (last) => response.end(last));
      return null;
    },
    async sendPieces(response, status, headers, pieces) {
      const held = new Set<Waiting>();
      let heldBytes = 0;
      const closed = new Promise<void>((resolve) => response.once('close', resolve)).then(() => {
        for (const answer of held) forget(answer);
      });
      response.writeHead(status, headers);
      let taken = Promise.resolve();
      // Taken from the executor as fast as it makes them: what waits there is larger, and is not counted.
      for await (const piece of pieces) {
        if (response.destroyed) return true;
        const answer = enter(response, piece.length, heldBytes);
        if (!answer) {
          response.req.socket.destroy();
          return false;
        }
        held.add(answer);
        heldBytes += piece.length;
        taken = taken.then(() => {
          if (response.destroyed) return;
          const sent = new Promise<void>((resolve) => {
            write(answer, Buffer.from(piece.buffer, piece.byteOffset, piece.length), (last) =>
              response.write(last, () => resolve()),
            );
          });
          return Promise.race([sent, closed]).then(() => {
            held.delete(answer);
            heldBytes -= piece.length;
            forget(answer);
          });
        });
      }
      await taken;
      response.end();
      return true;
    },
    close: () => clearInterval(timer),
  };
}

const noRoom = overloaded('Too many answers wait to be read.');
