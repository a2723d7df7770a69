import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import type { Refusal } from './refusal.ts';

/** Whether a caller may send one more request, and what it is told of its limit. */
export interface Allowance {
  /** `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10). */
  readonly headers: Readonly<Record<string, string>>;
  /** null where it may. */
  readonly refusal: Refusal | null;
}

/** Counts a request of a caller. */
export type RateLimit = (caller: string) => Allowance;

const windowMs = 60_000;
/** Callers that are remembered; those forgotten begin anew. */
const mostCallers = 10_000;
/** Milliseconds that a sum of fractions may be off by. */
const rounding = 1e-6;

/**
 * Gives each caller a bucket of `limit` requests, which is refilled evenly within a minute. `now` is a monotonic clock in
 * milliseconds.
 */
export function createRateLimit(limit: number, now: () => number = () => performance.now()): RateLimit {
  const refillMs = windowMs / limit;
  /** When the bucket of each caller will be full again: no more needs to be known of it. */
  const fullAt = new LRUCache<string, number>({ max: mostCallers });
  const policy = `"default";q=${limit};w=${windowMs / 1000}`;

  return (caller) => {
    const time = now();
    const missingBefore = Math.max((fullAt.get(caller) ?? 0) - time, 0);
    const isAllowed = missingBefore + refillMs <= windowMs + rounding;
    const missing = isAllowed ? missingBefore + refillMs : missingBefore;
    if (isAllowed) fullAt.set(caller, time + missing);
    const left = Math.floor((windowMs - missing + rounding) / refillMs);
    const nextMs = missing - (windowMs - (left + 1) * refillMs);
    const seconds = String(Math.max(Math.ceil((nextMs - rounding) / 1000), 1));
    const headers = { 'ratelimit-policy': policy, ratelimit: `"default";r=${left};t=${seconds}` };
    return { headers, refusal: isAllowed ? null : tooOften(limit, seconds) };
  };
}

function tooOften(limit: number, seconds: string): Refusal {
  return {
    status: 429,
    code: 'RATE_LIMITED',
    message: `At most ${limit} requests are taken in a minute. Try again in ${seconds} s.`,
    headers: { 'retry-after': seconds },
  };
}
