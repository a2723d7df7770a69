import type { IncomingMessage } from 'node:http';
import { createRound } from '../round.ts';
import { largestBody, tooLarge } from './checks.ts';
import { badRequest, type Refusal } from './refusal.ts';

/** Bodies that came whole. */
const arrived = createRound();
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a body as text, and stops as soon as it is too large. Rejects if the client leaves. */
export function readBody(request: IncomingMessage): Promise<string | Refusal> {
  // By its events: to iterate takes longer than all else that is done for a small body.
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= largestBody) return void chunks.push(chunk);
      request.pause();
      resolve(tooLarge);
    });
    request.on('end', () => arrived.add(() => resolve(decode(chunks))));
    request.on('error', reject);
    // It closes after its end, too.
    request.on('close', () => request.readableEnded || reject(new Error('The client left.')));
  });
}

function decode(chunks: readonly Buffer[]): string | Refusal {
  const [first] = chunks;
  try {
    return utf8.decode(first && chunks.length === 1 ? first : Buffer.concat(chunks));
  } catch {
    return badRequest(400, 'The body must be UTF-8.');
  }
}
