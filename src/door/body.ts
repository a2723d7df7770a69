import type { IncomingMessage } from 'node:http';
import { largestBody, tooLarge } from './checks.ts';
import { badRequest, type Refusal } from './refusal.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a body as text, and stops as soon as it is too large. Rejects if the client leaves. */
export async function readBody(request: IncomingMessage): Promise<string | Refusal> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) return tooLarge;
    chunks.push(chunk);
  }
  try {
    return utf8.decode(Buffer.concat(chunks));
  } catch {
    return badRequest(400, 'The body must be UTF-8.');
  }
}
