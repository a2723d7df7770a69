import { performance } from 'node:perf_hooks';
import { SourceError } from '../source-error.ts';

/** Work that is under way, and how many wait for it. */
interface Flight {
  readonly name: string;
  readonly result: Promise<unknown>;
  readonly controller: AbortController;
  waiting: number;
  isOver: boolean;
  /** When it ends by itself at the latest, by `performance.now()`. */
  readonly endsAt: number;
  /** Until when the most patient of those who wait does. */
  until: number;
}

/** What work is started with. */
export interface Terms {
  /** Milliseconds that it takes at most. */
  readonly ms: number;
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
  /** To be called when the first answer comes in. */
  answered(): void;
  /** How many wait for it now; at the end the one who was the last to give it up. */
  waiting(): number;
}

/** Starts work that keeps to its terms. */
export type Start<T> = (terms: Terms) => Promise<T>;

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
  // Few at once. (In a map, each would keep the next from being collected: its tables do, as they are outgrown.)
  const open: Flight[] = [];
  const find = (name: string) => open.find((flight) => flight.name === name);

  function close(flight: Flight): void {
    const index = open.indexOf(flight);
    if (index !== -1) open.splice(index, 1);
  }

  function launch<T>(name: string, endsAt: number, start: Start<T>): Flight {
    const controller = new AbortController();
    const terms: Terms = {
      ms: endsAt - performance.now(),
      signal: controller.signal,
      answered: () => close(flight),
      waiting: () => Math.max(flight.waiting, 1),
    };
    const result = start(terms).finally(() => {
      flight.isOver = true;
      close(flight);
    });
    const flight: Flight = { name, result, controller, waiting: 0, isOver: false, endsAt, until: endsAt };
    open.push(flight);
    return flight;
  }

  /** Waits until the work is done, `signal` aborts or, where the work may take longer than that, until `ownEnd`. */
  function wait<T>(flight: Flight, signal: AbortSignal, ownEnd: number): Promise<T> {
    flight.waiting += 1;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      let hasLeft = false;
      function leave(reason?: unknown): void {
        hasLeft = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        flight.waiting -= 1;
        if (flight.waiting > 0) return;
        close(flight);
        if (!flight.isOver) flight.controller.abort(reason);
      }
      function giveUp(reason: unknown): void {
        leave(reason);
        reject(reason);
      }
      const abort = () => giveUp(signal.reason);
      const settle = (done: () => void) => {
        if (!hasLeft) leave();
        done();
      };
      flight.result.then(
        (value) => settle(() => resolve(value as T)),
        (error) => settle(() => reject(error)),
      );
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      if (ownEnd < flight.endsAt)
        timer = setTimeout(() => giveUp(new SourceError('TIMEOUT')), ownEnd - performance.now());
    });
  }

  return {
    run<T>(name: string, ms: number, signal: AbortSignal, start: Start<T>) {
      const endsAt = performance.now() + ms;
      const joined = find(name);
      if (!joined) return wait<T>(launch(name, endsAt, start), signal, endsAt);
      joined.until = Math.max(joined.until, endsAt);
      return wait<T>(joined, signal, endsAt).catch((error) => {
        const isOver = signal.aborted || endsAt <= performance.now();
        if (isOver || !(error instanceof SourceError) || !error.fault.retryable) throw error;
        // All who joined share that try as well: it takes as long as the last of them waits, and each waits its own time.
        return wait<T>(find(name) ?? launch(name, joined.until, start), signal, endsAt);
      });
    },
    seal() {
      open.length = 0;
    },
  };
}
