import { monitorEventLoopDelay } from 'node:perf_hooks';
import { overloaded, type Refusal } from './refusal.ts';

/** Decides whether one more request can be served well. */
export interface Load {
  /** Counts a request in, or says why not. */
  enter(): Refusal | null;
  leave(): void;
  /** Requests that are in. */
  count(): number;
  close(): void;
}

const windowMs = 1000;
/** Milliseconds by which the event loop may be late on average, where nobody says otherwise. */
const usualDelayMs = 150;

/** Watches the event loop, and lets at most `mostInFlight` requests in at once, and none while it is late. */
export function createLoad(mostInFlight: number, longestDelayMs = usualDelayMs): Load {
  const histogram = monitorEventLoopDelay({ resolution: 10 });
  histogram.enable();
  let inFlight = 0;
  /** By how much the event loop was late on average in the last window. */
  let delayMs = 0;
  const timer = setInterval(() => {
    delayMs = Number.isNaN(histogram.mean) ? 0 : histogram.mean / 1e6;
    histogram.reset();
  }, windowMs).unref();

  return {
    enter() {
      if (inFlight >= mostInFlight || delayMs > longestDelayMs) return tooMany;
      inFlight += 1;
      return null;
    },
    leave() {
      inFlight -= 1;
    },
    count: () => inFlight,
    close() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

const tooMany = overloaded('Too many requests are being served.');
