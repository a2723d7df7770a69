import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { overloaded, type Refusal } from './refusal.ts';

/** The answers that wait to be read. */
export interface Backlog {
  /**
   * Sends an answer whole, or says why there is no room for it. Before it says so, it cuts off readers of older answers who
   * took nothing for three seconds.
   */
  send(response: ServerResponse, status: number, headers: OutgoingHttpHeaders, body: Buffer): Refusal | null;
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
const pieceBytes = 65_536;
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

  function hasRoom(more: number): boolean {
    const fits = () => waiting.size === 0 || bytes + more <= mostBytes;
    for (const answer of waiting) {
      if (fits()) break;
      if (answer.looks < mostLooks) continue;
      forget(answer);
      // Not the response: one that waits behind another of the same connection has no way to end it.
      answer.response.req.socket.destroy();
    }
    return fits();
  }

  return {
    send(response, status, headers, body) {
      const answer: Waiting = { response, bytes: body.length, looks: 0 };
      if (body.length > pieceBytes) {
        if (!hasRoom(body.length)) return noRoom;
        waiting.add(answer);
        bytes += answer.bytes;
        response.once('close', () => forget(answer));
      }
      response.writeHead(status, { ...headers, 'content-length': body.length });
      write(response, body, () => {
        answer.looks = 0;
      });
      return null;
    },
    close: () => clearInterval(timer),
  };
}

/** In pieces, because nothing tells how much was taken of one. */
function write(response: ServerResponse, rest: Buffer, onTaken: () => void): void {
  if (rest.length <= pieceBytes) return void response.end(rest);
  response.write(rest.subarray(0, pieceBytes), (error) => {
    if (error) return;
    onTaken();
    write(response, rest.subarray(pieceBytes), onTaken);
  });
}

const noRoom = overloaded('Too many answers wait to be read.');
