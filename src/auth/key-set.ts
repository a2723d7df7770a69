import { performance } from 'node:perf_hooks';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { errnoOf } from '../errno.ts';
import { SourceError, type SourceErrorCode } from '../source-error.ts';
import { parseBody, statusError } from '../upstream/answer.ts';
import { createConnections, type UpstreamProxy } from '../upstream/connections.ts';
import { exchange } from '../upstream/exchange.ts';
import { createQuota } from '../upstream/quota.ts';

/** The public keys of an issuer of JWTs, kept fresh. */
export interface KeySet {
  /**
   * Finds the key that a token names; for one that is not there, the keys are read anew, if that was not done just now.
   * Throws `KeysUnavailable` where no key was ever read, or jose's own errors.
   */
  readonly find: JWTVerifyGetKey;
  /** Reads the keys anew, if that was not done just now, and tells whether it was done. Throws as `find` does. */
  renew(): Promise<boolean>;
  /** How often the keys were read: 0 for never. What an earlier reading had may be gone. */
  readings(): number;
  /** Stops reading them. */
  close(): Promise<void>;
}

/** Whether a token is good cannot be told for the moment. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

/**
 * Told the reason when readings begin to fail, and null when they succeed again. `cause` is the system's word for it, such as
 * ECONNREFUSED, where it has one.
 */
export type OnKeySetChange = (reason: SourceErrorCode | null, cause: string | null) => void;

/** When keys are read, in milliseconds. */
export interface KeySetTimes {
  /** From one reading to the next. */
  readonly refreshMs: number;
  /** From the start of one reading to the next that tokens can cause: whoever makes up names of keys shall not flood the issuer. */
  readonly coolDownMs: number;
  /** From the first reading that failed to the next; it doubles from there up to `longestRetryMs`. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
  /** For one reading, connecting included. */
  readonly timeoutMs: number;
}

const usualTimes: KeySetTimes = {
  refreshMs: 600_000,
  coolDownMs: 30_000,
  retryMs: 250,
  longestRetryMs: 10_000,
  timeoutMs: 5000,
};

/** Bytes of a key set. */
const largestSet = 262_144;
/** Requests that wait for the keys to be read anew. */
const mostWaiting = 100;

/**
 * Reads a JSON Web Key Set (RFC 7517) from `url` until it is closed. The last good set stays when a reading fails.
 * (jose's own remote set would ask again for every unknown key while the issuer fails, and drops a set that it cannot renew.)
 */
export function createKeySet(
  url: string,
  onChange: OnKeySetChange,
  proxy: UpstreamProxy | null = null,
  { refreshMs, coolDownMs, retryMs, longestRetryMs, timeoutMs }: KeySetTimes = usualTimes,
): KeySet {
  const { origin, pathname, search } = new URL(url);
  // It is read so seldom that each reading may as well look for its address again.
  const connections = createConnections(origin, { timeoutMs, ageMs: coolDownMs, proxy });
  const closed = new AbortController();
  const request = {
    method: 'GET' as const,
    body: null,
    origin,
    path: pathname + search,
    headers: {},
    timeoutMs,
    maxBytes: largestSet,
    bytes: createQuota(largestSet),
    answered: () => {},
  };
  let keys: JWTVerifyGetKey | null = null;
  let readings = 0;
  let reading: Promise<void> | null = null;
  let startedAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let waiting = 0;
  let timer: NodeJS.Timeout | undefined;

  async function read(): Promise<void> {
    startedAt = performance.now();
    clearTimeout(timer);
    const before = failures;
    try {
      keys = await exchange(connections, request, closed.signal, readKeys);
      readings += 1;
      failures = 0;
      if (before > 0) onChange(null, null);
    } catch (error) {
      failures += 1;
      if (before === 0 && !closed.signal.aborted) {
        onChange(error instanceof SourceError ? error.fault.code : 'BAD_RESPONSE', errnoOf(error));
      }
    }
    if (closed.signal.aborted) return;
    const retry = Math.min(retryMs * 2 ** (failures - 1), longestRetryMs) * (0.5 + Math.random() / 2);
    timer = setTimeout(start, failures === 0 ? refreshMs : retry).unref();
  }

  function start(): Promise<void> {
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  }

  async function renew(): Promise<boolean> {
    const isNew = reading !== null || performance.now() - startedAt >= coolDownMs;
    if (!isNew) return false;
    if (waiting >= mostWaiting) throw new KeysUnavailable();
    waiting += 1;
    await start();
    waiting -= 1;
    return true;
  }

  void start();
  return {
    async find(header, token) {
      if (!keys) throw new KeysUnavailable();
      try {
        return await keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || !(await renew())) throw error;
        return await keys(header, token);
      }
    },
    renew,
    readings: () => readings,
    async close() {
      clearTimeout(timer);
      closed.abort();
      await connections.destroy();
    },
  };
}

function readKeys(answer: Parameters<typeof parseBody>[0]): JWTVerifyGetKey {
  if (answer.status !== 200) throw statusError(answer, {});
  const body = parseBody(answer);
  if ('error' in body) throw body.error;
  const set = body.json as JSONWebKeySet;
  const keys = createLocalJWKSet(set);
  // Not an issuer without callers, but one that is being set up, or a page that is not what it was.
  if (set.keys.length === 0) throw new SourceError('BAD_RESPONSE');
  return keys;
}
