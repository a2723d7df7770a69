import { SourceError } from '../source-error.ts';

/** Keeps from asking with a key that the upstream limits the rate of. */
export interface CoolDown {
  /** Throws a `SourceError` RATE_LIMITED while the key is to be left alone. */
  check(): void;
  /**
   * Starts it: for as long as the upstream asks, or longer each time where it does not say. Answers that come while it
   * lasts are to calls that were under way already, and count as one.
   */
  start(error: SourceError): void;
  /** The upstream answered: the next time starts short again. */
  end(): void;
}

const shortestMs = 1000;
/** However long the upstream asks for: it is asked again, once, twice a minute. */
const longestMs = 30_000;

/** A key that may be used. `now` is in milliseconds and never goes back. */
export function createCoolDown(now: () => number): CoolDown {
  let until = 0;
  let times = 0;
  return {
    check() {
      const left = until - now();
      if (left > 0) throw new SourceError('RATE_LIMITED', { retryAfterMs: Math.ceil(left) });
    },
    start({ fault: { retryAfterMs } }) {
      if (retryAfterMs === null && until > now()) return;
      until = now() + Math.min(retryAfterMs ?? shortestMs * 2 ** times, longestMs);
      if (retryAfterMs === null) times = Math.min(times + 1, 10);
    },
    end() {
      times = 0;
    },
  };
}
