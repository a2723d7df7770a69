import { SourceError } from '../errors.ts';
import { untilAborted, withDeadline } from './deadline.ts';

/** Work that is under way, and how many wait for it. */
interface Flight {
  readonly result: Promise<unknown>;
  readonly controller: AbortController;
  /** Lets nobody join any more. */
  readonly seal: () => void;
  waiting: number;
  isOver: boolean;
  /** Until when the most patient of them waits, by `performance.now()`. */
  until: number;
}

/**
 * Starts work that takes `ms` at most and ends when its `signal` aborts, which it does when nobody waits any more. It
 * calls `answered` when the first answer comes in.
 */
export type Start<T> = (ms: number, signal: AbortSignal, answered: () => void) => Promise<T>;

/** Lets callers that ask the same share the work, as long as nothing of it was answered: so what they get is not older than they. */
export interface Sharing {
  /**
   * Joins the work under `name`, or starts it, for a caller that waits `ms` at most and leaves when `signal` aborts. A
   * joiner of work that failed, in a way that another try may mend, gets that other try in the time that it has left.
   */
  run<T>(name: string, ms: number, signal: AbortSignal, start: Start<T>): Promise<T>;
  /** Lets nobody join what is under way any more: whoever asks from now on must not get what was so before. */
  seal(): void;
}

/** Nothing is under way yet. Work of one name must have one type of result. */
export function createSharing(): Sharing {
  const open = new Map<string, Flight>();

  function launch<T>(name: string, ms: number, start: Start<T>): Flight {
    const controller = new AbortController();
    const seal = () => {
      if (open.get(name) === flight) open.delete(name);
    };
    const result = start(ms, controller.signal, seal).finally(() => {
      flight.isOver = true;
      seal();
    });
    // Those who wait hear of it; if nobody does any more, nobody has to.
    result.catch(() => {});
    const flight: Flight = { result, controller, seal, waiting: 0, isOver: false, until: performance.now() + ms };
    open.set(name, flight);
    return flight;
  }

  async function wait<T>(flight: Flight, signal: AbortSignal): Promise<T> {
    flight.waiting += 1;
    try {
      return (await untilAborted(flight.result, signal)) as T;
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        flight.seal();
        if (!flight.isOver) flight.controller.abort(signal.reason);
      }
    }
  }

  return {
    async run<T>(name: string, ms: number, signal: AbortSignal, start: Start<T>) {
      const joined = open.get(name);
      if (!joined) return wait<T>(launch(name, ms, start), signal);
      const endsAt = performance.now() + ms;
      joined.until = Math.max(joined.until, endsAt);
      try {
        // It began before us, so it ends before our time is up.
        return await wait<T>(joined, signal);
      } catch (error) {
        const left = endsAt - performance.now();
        if (signal.aborted || left <= 0 || !(error instanceof SourceError) || !error.fault.retryable) throw error;
        // All who joined share that try as well: it takes as long as the last of them waits, and each waits its own time.
        const next = open.get(name) ?? launch(name, joined.until - performance.now(), start);
        return await withDeadline(left, signal, (own) => wait<T>(next, own));
      }
    },
    seal: () => open.clear(),
  };
}
