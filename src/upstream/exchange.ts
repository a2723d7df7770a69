import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { createRound } from '../round.ts';
import { SourceError } from '../source-error.ts';
import type { Answer } from './answer.ts';
import type { Connections } from './connections.ts';
import type { Quota } from './quota.ts';
import { type Collector, createCollector, type KnownBody } from './reuse.ts';

/** One request as it goes over the wire. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** The upstream's, which the connections are to. */
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; null for none. */
  readonly body: string | null;
  /** Milliseconds for all of it, connecting included. */
  readonly timeoutMs: number;
  /** Bytes of the body that are read at most. */
  readonly maxBytes: number;
  /** Bytes of all bodies that are being read. */
  readonly bytes: Quota;
  /**
   * Finds the body that is taken, itself, where the one that comes says the same. Called when that begins: to hold one while others
   * replace it would keep the memory of as many as there are calls under way.
   */
  readonly known?: (() => KnownBody | undefined) | undefined;
  /** Called when there is a connection and the first byte is about to go out: from then on, it may have arrived. */
  readonly sent?: () => void;
  /** Called when the status and the headers are there. */
  readonly answered: () => void;
}

/** Calls that ended: with an answer that came whole, or with a fault of the connection. */
const arrived = createRound();

const expected = { accept: 'application/json', 'accept-encoding': 'identity' };

/**
 * Sends a request, and makes something of the answer once that came whole. Throws a `SourceError` for connections that fail, for
 * what takes too long (TIMEOUT), and for bodies that are too large, or that there is no room for (OVERLOADED), the reason of
 * `signal` once that aborts, and what `read` throws. Of an answer other than 200, what could not be read of the body is left out:
 * the status says enough. (The answer itself is not returned: a promise that waited for long is among the old in V8's heap, and
 * would keep the body from being collected with the young.)
 */
export function exchange<T>(
  connections: Connections,
  request: Request,
  signal: AbortSignal,
  read: (answer: Answer) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const { method, origin, path, headers, body, timeoutMs, maxBytes, bytes } = request;
    let head: { readonly status: number; readonly headers: IncomingHttpHeaders } | undefined;
    let collector: Collector | undefined;
    let size = 0;
    let controller: Dispatcher.DispatchController | undefined;
    let isOver = false;

    /** Gives back what is held, and tells whether this is the end: of several, the first counts. */
    function end(): boolean {
      if (isOver) return false;
      isOver = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      // Bodies that came whole are parsed one after the other before any more is read.
      bytes.give(size);
      return true;
    }
    function succeed(answer: Answer): void {
      try {
        resolve(read(answer));
      } catch (error) {
        reject(error);
      }
    }
    function fail(error: unknown): void {
      if (!end()) return;
      const reason: unknown = signal.aborted ? signal.reason : error;
      const left = signal.aborted && !(reason instanceof SourceError);
      if (!left && head && head.status !== 200) succeed({ ...head, body: Buffer.alloc(0) });
      else reject(left || reason instanceof SourceError ? reason : new SourceError('UNREACHABLE', {}, reason));
    }
    function stop(error: Error): void {
      fail(error);
      controller?.abort(error);
    }
    /** Those of bodies that came whole, in this round, are given back first where there are too few. */
    function takeBytes(count: number): boolean {
      if (bytes.take(count)) return true;
      arrived.flush();
      return bytes.take(count);
    }
    const timer = setTimeout(() => stop(new SourceError('TIMEOUT')), timeoutMs);
    // Not left to undici, which does not heed a signal while it is still connecting.
    function leave(): void {
      stop(signal.reason);
    }

    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave);
    const connection = connections.take();
    connection.dispatch(
      {
        method,
        origin,
        path,
        body,
        // Nothing waits behind it on its connection, so undici need not look for that when the answer begins.
        blocking: false,
        headers: { ...headers, ...(body === null ? expected : { ...expected, 'content-type': 'application/json' }) },
      },
      {
        onRequestStart(started) {
          controller = started;
          // It was over while this waited for a connection.
          if (isOver) return started.abort(new SourceError('TIMEOUT'));
          request.sent?.();
        },
        onResponseStart({ rawHeaders }, status, answerHeaders) {
          // Parts of the bytes that came, in an array that undici made when the connection was last used: if that is among the old by
          // now, it would keep the whole body from being collected with the young.
          if (Array.isArray(rawHeaders)) rawHeaders.length = 0;
          // Those below 200 only announce the answer.
          if (status < 200 || isOver) return;
          head = { status, headers: answerHeaders };
          collector = createCollector(status === 200 ? request.known?.() : undefined);
          request.answered();
        },
        onResponseData(_controller, chunk) {
          if (isOver) return;
          // A declared length is not to be trusted, so bytes are counted.
          if (size + chunk.length > maxBytes) return stop(new SourceError('TOO_LARGE', { httpStatus: head?.status }));
          if (!takeBytes(chunk.length)) return stop(new SourceError('OVERLOADED'));
          size += chunk.length;
          collector?.add(chunk);
        },
        onResponseEnd() {
          connections.give(connection, false);
          arrived.add(() => {
            if (!head || !collector || !end()) return;
            const answer = { ...head, body: collector.end() };
            // What waited for long is collected late, and so is all that it still holds.
            collector = undefined;
            succeed(answer);
          });
        },
        onResponseError(_controller, error) {
          connections.give(connection, true);
          // After the answers that came before it.
          arrived.add(() => fail(error));
        },
      },
    );
  });
}
