import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import { SourceError } from '../errors.ts';

/** Stops calling what keeps failing, and tries with one call at a time whether it works again. */
export interface Breaker {
  /** Runs `call`, or rejects at once with a `SourceError` CIRCUIT_OPEN. */
  fire<T>(call: () => Promise<T>): Promise<T>;
  /** Lets every call pass from now on, and lets go of what it holds. */
  retire(): void;
}

/** Opens breakers that share one timer. */
export interface Breakers {
  create(): Breaker;
  close(): void;
}

/** Milliseconds between the opening of a circuit and the call that tries it. */
const resetTimeout = 1000;
const windowMs = 10_000;
const windowParts = 10;
/** Calls in the window of which half may open a circuit. Of fewer, half fail now and then where one in three does. */
const leastCalls = 20;
/** Failures without a call that worked among them, which open a circuit as well. */
const leastInARow = 8;
/** Milliseconds that they must last: longer than a blip, which cuts everything that is under way at once. */
const silenceMs = 500;

/**
 * A circuit opens when half of at least twenty calls within ten seconds failed, or when the last eight did and none worked
 * for half a second: after busy and healthy seconds, half would take as long again. Built on opossum and not on cockatiel
 * 4, which makes every caller wait for the one that tries a half-open circuit, and which follows the wall clock.
 * `changed` is told of each circuit that opens, and when a call closes it, or it is let go of.
 */
export function createBreakers(changed: (isOpen: boolean) => void = () => {}): Breakers {
  const clocks = new Set<EventEmitter>();
  const tick = () => {
    for (const clock of clocks) clock.emit('rotate');
  };
  const timer = setInterval(tick, windowMs / windowParts).unref();

  function create(): Breaker {
    const clock = new EventEmitter();
    clocks.add(clock);
    const breaker: CircuitBreaker<[() => Promise<unknown>], unknown> = new CircuitBreaker((call) => call(), {
      timeout: false,
      resetTimeout,
      rollingCountTimeout: windowMs,
      rollingCountBuckets: windowParts,
      rotateBucketController: clock,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      volumeThreshold: leastCalls,
      errorThresholdPercentage: 49,
      // What says nothing of the upstream is no failure, but a trial that ended so must not close the circuit.
      errorFilter: (error) => (saysNothing(error) ? !breaker.halfOpen : !speaksAgainst(error)),
    });
    let isOpen = false;
    const turn = (now: boolean) => {
      if (isOpen !== now) changed(now);
      isOpen = now;
    };
    let inARow = 0;
    let workedAt = Number.NEGATIVE_INFINITY;
    breaker.on('failure', () => {
      inARow += 1;
      if (inARow >= leastInARow && performance.now() - workedAt > silenceMs) breaker.open();
    });
    // Of a call whose failure is none, opossum tells here as well.
    breaker.on('success', (outcome) => {
      if (saysNothing(outcome)) return;
      inARow = 0;
      workedAt = performance.now();
    });
    // It opens again after each trial that fails, without having been closed.
    breaker.on('open', () => turn(true));
    breaker.on('close', () => turn(false));
    // A closed circuit starts afresh: neither the failures that opened it count any more, nor the calls that it refused,
    // which opossum takes for calls that did not fail.
    breaker.on('close', () => {
      for (let part = 0; part < windowParts; part++) clock.emit('rotate');
    });
    return {
      async fire<T>(call: () => Promise<T>) {
        try {
          return (await breaker.fire(call)) as T;
        } catch (error) {
          throw error instanceof Error && CircuitBreaker.isOurError(error) ? new SourceError('CIRCUIT_OPEN') : error;
        }
      },
      retire() {
        clocks.delete(clock);
        turn(false);
        breaker.disable();
      },
    };
  }
  return { create, close: () => clearInterval(timer) };
}

/** Whether a call ended by what is our side's: its caller left, or there was no room for the answer. */
function saysNothing(outcome: unknown): boolean {
  return outcome instanceof SourceError ? outcome.fault.code === 'OVERLOADED' : outcome instanceof Error;
}

/** Whether an error speaks against the upstream. What concerns one caller's key or rate never does. */
function speaksAgainst(error: unknown): boolean {
  if (!(error instanceof SourceError)) return false;
  const { code, httpStatus } = error.fault;
  if (code === 'BAD_RESPONSE') return httpStatus === 200;
  return code === 'TIMEOUT' || code === 'UNREACHABLE' || code === 'UPSTREAM_ERROR' || code === 'TOO_LARGE';
}
