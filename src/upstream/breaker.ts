import { performance } from 'node:perf_hooks';
import { SourceError } from '../source-error.ts';

/** Tells how a call ended, null where it worked, otherwise what it threw; and how many requests waited for it. */
export type EndCall = (error: unknown, waiting: number) => void;

/** Stops calling what keeps failing, and tries with one call at a time whether it works again. */
export interface Breaker {
  /** Lets a call pass, or throws a `SourceError` CIRCUIT_OPEN. */
  begin(): EndCall;
  /** Whether every call passes. */
  passes(): boolean;
  /** Lets every call pass from now on. */
  retire(): void;
}

/** One for all calls: a new one would note a stack each time, which nobody reads. */
const circuitOpen = new SourceError('CIRCUIT_OPEN');

/** Milliseconds between the opening of a circuit and the call that tries it. */
const resetMs = 1000;
const partMs = 1000;
const windowParts = 10;
/** Calls in the window of which half may open a circuit. Of fewer, half fail now and then where one in three does. */
const leastCalls = 20;
/** Failures without a call that worked among them, which open a circuit as well. */
const leastInARow = 8;
/** As how many of those one call counts at most: two must fail, however many waited for the first. */
const mostOfOne = 4;
/** Milliseconds that they must last: longer than a blip, which cuts everything that is under way at once. */
const silenceMs = 500;

/**
 * A circuit opens when half of at least twenty calls within ten seconds failed, or when the last eight did and none worked
 * for half a second: after busy and healthy seconds, half would take as long again. Of these eight, a call that took too long is
 * one for each request that waited for it: where all share a call, there are not eight within the patience of any of them.
 * `changed` is told when it opens, and when a call closes it, or it is let go of. `now` is a monotonic clock in milliseconds.
 */
export function createBreaker(
  changed: (isOpen: boolean) => void = () => {},
  now: () => number = () => performance.now(),
): Breaker {
  const window = createWindow();
  let state: 'closed' | 'open' | 'trying' | 'retired' = 'closed';
  let triesAt = 0;
  let inARow = 0;
  let workedAt = Number.NEGATIVE_INFINITY;
  let endUsual = createEndUsual();

  function open(): void {
    if (state === 'closed') changed(true);
    state = 'open';
    triesAt = now() + resetMs;
  }

  function close(to: 'closed' | 'retired'): void {
    if (state === 'open' || state === 'trying') changed(false);
    state = to;
    // What opened it does not count any more, nor what calls of before then are still to tell.
    window.clear();
    endUsual = createEndUsual();
  }

  function worked(): void {
    inARow = 0;
    workedAt = now();
  }

  /** Ends the calls that begin until the circuit has opened and closed again. */
  function createEndUsual(): EndCall {
    const end: EndCall = (error, waiting) => {
      if (end !== endUsual || saysNothing(error)) return;
      if (!speaksAgainst(error)) {
        worked();
        return;
      }
      inARow += isTimeout(error) ? Math.min(waiting, mostOfOne) : 1;
      const { calls, failures } = window.fail(now());
      const isSilent = inARow >= leastInARow && now() - workedAt > silenceMs;
      if (state === 'closed' && (isSilent || (calls >= leastCalls && failures * 2 >= calls))) open();
    };
    return end;
  }

  function endTrial(error: unknown): void {
    if (state === 'retired') return;
    // What says nothing of the upstream leaves it open for the next call to try.
    if (saysNothing(error)) state = 'open';
    else if (speaksAgainst(error)) open();
    else {
      worked();
      close('closed');
    }
  }

  return {
    begin() {
      if (state === 'closed') window.call(now());
      if (state === 'closed' || state === 'retired') return endUsual;
      if (state === 'trying' || now() < triesAt) throw circuitOpen;
      state = 'trying';
      return endTrial;
    },
    passes: () => state === 'closed' || state === 'retired',
    retire: () => close('retired'),
  };
}

interface Counts {
  calls: number;
  failures: number;
}

/** Calls of the last ten seconds and those among them that failed, by the second. */
function createWindow() {
  const parts: Counts[] = Array.from({ length: windowParts }, () => ({ calls: 0, failures: 0 }));
  let last = 0;

  function clear(part: Counts): void {
    part.calls = 0;
    part.failures = 0;
  }
  /** The part of this time, when those in between were emptied. */
  function partAt(time: number): Counts {
    const number = Math.floor(time / partMs);
    const first = Math.max(last + 1, number - windowParts + 1);
    for (let passed = first; passed <= number; passed++) clear(parts[passed % windowParts] as Counts);
    last = number;
    return parts[number % windowParts] as Counts;
  }

  return {
    call(time: number): void {
      partAt(time).calls += 1;
    },
    /** Counts a failure, and tells what there is now. */
    fail(time: number): Counts {
      partAt(time).failures += 1;
      const sum = (of: keyof Counts) => parts.reduce((total, part) => total + part[of], 0);
      return { calls: sum('calls'), failures: sum('failures') };
    },
    clear: () => parts.forEach(clear),
  };
}

/** Whether a call ended by what is our side's: its caller left, or there was no room for the answer. */
function saysNothing(outcome: unknown): boolean {
  return outcome instanceof SourceError ? outcome.fault.code === 'OVERLOADED' : outcome instanceof Error;
}

function isTimeout(error: unknown): boolean {
  return error instanceof SourceError && error.fault.code === 'TIMEOUT';
}

/** Whether an error speaks against the upstream. What concerns one caller's key or rate never does. */
function speaksAgainst(error: unknown): boolean {
  if (!(error instanceof SourceError)) return false;
  const { code, httpStatus } = error.fault;
  if (code === 'BAD_RESPONSE') return httpStatus === 200;
  return code === 'TIMEOUT' || code === 'UNREACHABLE' || code === 'UPSTREAM_ERROR' || code === 'TOO_LARGE';
}
