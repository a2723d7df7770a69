import type { Dispatcher } from 'undici';
import { SourceError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { untilAborted } from './deadline.ts';
import type { Quota } from './quota.ts';

/** One GET as it goes over the wire. */
export interface Request {
  /** The upstream's, which the connections are to. */
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body that are read at most. */
  readonly maxBytes: number;
  /** Bytes of all bodies that are being read. */
  readonly bytes: Quota;
  /** Called when the status and the headers are there. */
  readonly answered: () => void;
}

/**
 * Sends a request and reads the answer whole. Throws a `SourceError` for connections that fail and bodies that are too
 * large, or that there is no room for (OVERLOADED), and the reason of `signal` once that aborts. Of an answer other than
 * 200, what could not be read of the body is left out: the status says enough.
 */
export async function exchange(connections: Dispatcher, request: Request, signal: AbortSignal): Promise<Answer> {
  let head: Omit<Answer, 'body'> | undefined;
  const answered = (answer: Omit<Answer, 'body'>) => {
    head = answer;
    request.answered();
  };
  try {
    // Raced, because undici does not heed the signal while it is still connecting.
    return await untilAborted(send(connections, request, answered, signal), signal);
  } catch (error) {
    const reason: unknown = signal.aborted ? signal.reason : error;
    const left = signal.aborted && !(reason instanceof SourceError);
    if (left) throw reason;
    if (head && head.status !== 200) return { ...head, body: Buffer.alloc(0) };
    throw reason instanceof SourceError ? reason : new SourceError('UNREACHABLE', {}, reason);
  }
}

async function send(
  connections: Dispatcher,
  { origin, path, headers, maxBytes, bytes }: Request,
  answered: (answer: Omit<Answer, 'body'>) => void,
  signal: AbortSignal,
): Promise<Answer> {
  const response = await connections.request({
    method: 'GET',
    origin,
    path,
    headers: { ...headers, accept: 'application/json', 'accept-encoding': 'identity' },
    signal,
  });
  const head = { status: response.statusCode, headers: response.headers };
  answered(head);
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the body and its socket; a declared length is not to be trusted, so bytes are counted.
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      if (size + chunk.length > maxBytes) throw new SourceError('TOO_LARGE', { httpStatus: head.status });
      if (!bytes.take(chunk.length)) throw new SourceError('OVERLOADED');
      size += chunk.length;
      chunks.push(chunk);
    }
    return { ...head, body: Buffer.concat(chunks) };
  } finally {
    // A body that came whole is parsed before any other goes on, so that what parsing takes is never taken twice at once.
    bytes.give(size);
  }
}
