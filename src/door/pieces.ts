import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** Whether an answer comes in pieces, as one to `@defer` or `@stream` does. */
export function isInPieces({ headers }: Response): boolean {
  return /^(multipart\/mixed|text\/event-stream)\b/.test(headers.get('content-type') ?? '');
}

/**
 * Sends each piece as soon as it is there, and takes no more of them than the client reads. Rejects if the client leaves,
 * which ends the work on what was still to come.
 */
export async function sendPieces(response: ServerResponse, { status, headers, body }: Response): Promise<void> {
  // How the connection goes on is for node:http to say, and proxies must not wait for the whole.
  const { connection: _, 'transfer-encoding': __, ...others } = Object.fromEntries(headers);
  response.writeHead(status, { ...others, 'x-accel-buffering': 'no' });
  await pipeline(body as AsyncIterable<Uint8Array>, response);
}
