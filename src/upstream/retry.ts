import { SourceError } from '../source-error.ts';

const mostTries = 3;
const firstPauseMs = 50;
/**
 * Retries that a call earns. With a sixth, retries would be a fifth of first tries; a little less makes it a fifth with the
 * reserve of a whole upstream in it, from some 2500 first tries on.
 */
const retriesPerCall = 0.15;

/** How many retries may still be made: not quite a fifth of first tries, and a reserve for the start. */
export interface RetryBudget {
  /** A call was really made, whether a first try or not. */
  earn(): void;
  /** Takes one retry, if there is one. */
  spend(): boolean;
}

/** Opens a budget, full to its reserve, if with `whole` as a part of that: a retry must be left in both. */
export function createRetryBudget(reserve: number, whole?: RetryBudget): RetryBudget {
  let left = reserve;
  return {
    earn() {
      left = Math.min(left + retriesPerCall, reserve);
      whole?.earn();
    },
    spend() {
      if (left < 1 || whole?.spend() === false) return false;
      left -= 1;
      return true;
    },
  };
}

/**
 * Milliseconds to wait before try number `next`, or null where there is none: only faults that another try may not meet,
 * three tries at most, and only if the pause leaves some of `remainingMs`. `random` gives 0 to 1.
 */
export function pauseBefore(next: number, error: unknown, remainingMs: number, random: () => number): number | null {
  if (!(error instanceof SourceError) || next > triesFor(error)) return null;
  const { code, retryAfterMs } = error.fault;
  // Full jitter, so that those who failed together do not come back together.
  const asked = retryAfterMs === null ? null : retryAfterMs + 1;
  const pause = asked ?? (code === 'RATE_LIMITED' ? null : random() * firstPauseMs * 2 ** (next - 1));
  return pause === null || pause >= remainingMs ? null : pause;
}

function triesFor({ fault: { code, httpStatus } }: SourceError): number {
  if (code === 'UNREACHABLE' || code === 'RATE_LIMITED') return mostTries;
  if (code !== 'UPSTREAM_ERROR') return 1;
  if (httpStatus === 500) return 2;
  return httpStatus === 502 || httpStatus === 503 || httpStatus === 504 ? mostTries : 1;
}
