import { Pool } from 'undici';
import type { z } from 'zod';
import { SourceError, type SourceFaultDetails } from '../errors.ts';
import { type Answer, parseBody, statusError } from './answer.ts';
import { untilAborted, withDeadline } from './deadline.ts';

/** Bounds on what one upstream may take of us. */
export interface UpstreamLimits {
  /** Milliseconds for one operation on one source, all its calls included. */
  readonly deadlineMs: number;
  /** Milliseconds for one call, connecting included. */
  readonly attemptTimeoutMs: number;
  /** Bytes of one answer's body. */
  readonly maxBytes: number;
}

/** What a provider's operation calls its API with: address, key and deadline are in it already. */
export interface Http {
  /**
   * GETs `path` (from the base URL, with a leading slash) and reads the JSON answer by `schema`. Throws a `SourceError`
   * for whatever else comes; `problem` finds the provider's own code and request id in the body of an error answer.
   */
  getJson<T>(path: string, schema: z.ZodType<T>, problem: ReadProblem): Promise<T>;
}

/** Reads what a provider says of its own error; the body is undefined where it is not JSON. */
export type ReadProblem = (body: unknown) => Pick<SourceFaultDetails, 'providerCode' | 'providerRequestId'>;

/** The HTTP service behind one source. */
export interface Upstream {
  /** Runs one operation under its deadline, which `signal` (the caller left) may cut short. */
  run<T>(
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    operation: (http: Http) => Promise<T>,
  ): Promise<T>;
  /** Ends all connections, also those with a call under way. */
  close(): Promise<void>;
}

/** Opens a connection pool to `url`. No redirect is ever followed, and no other host is ever called. */
export function createUpstream(url: string, limits: UpstreamLimits): Upstream {
  const { origin, pathname } = new URL(url);
  const base = pathname.replace(/\/$/, '');
  const pool = new Pool(origin, {
    connect: { timeout: limits.attemptTimeoutMs, rejectUnauthorized: true },
    allowH2: false,
  });

  async function get(path: string, headers: Readonly<Record<string, string>>, parent: AbortSignal): Promise<Answer> {
    try {
      return await withDeadline(limits.attemptTimeoutMs, parent, (signal) =>
        // Raced, because undici does not heed the signal while it is still connecting.
        untilAborted(exchange(pool, base + path, headers, signal, limits.maxBytes), signal),
      );
    } catch (error) {
      throw error instanceof SourceError ? error : new SourceError('UNREACHABLE', {}, error);
    }
  }

  return {
    run: (headers, caller, operation) =>
      withDeadline(limits.deadlineMs, caller, (signal) =>
        operation({
          async getJson(path, schema, problem) {
            const answer = await get(path, headers, signal);
            const body = parseBody(answer);
            if (answer.status !== 200) throw statusError(answer, problem(body.json));
            if ('error' in body) throw body.error;
            const parsed = schema.safeParse(body.json);
            if (!parsed.success) throw new SourceError('BAD_RESPONSE', { httpStatus: 200 }, parsed.error);
            return parsed.data;
          },
        }),
      ),
    close: () => pool.destroy(),
  };
}

async function exchange(
  pool: Pool,
  path: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  maxBytes: number,
): Promise<Answer> {
  const response = await pool.request({
    method: 'GET',
    path,
    headers: { ...headers, accept: 'application/json', 'accept-encoding': 'identity' },
    signal,
  });
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the body and its socket; a declared length is not to be trusted, so bytes are counted.
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new SourceError('TOO_LARGE', { httpStatus: response.statusCode });
    chunks.push(chunk);
  }
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}
