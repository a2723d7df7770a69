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

/**
 * A circuit opens when half of at least eight calls within ten seconds failed. Built on opossum and not on cockatiel 4,
 * which makes every caller wait for the one that tries a half-open circuit, and which follows the wall clock.
 */
export function createBreakers(): Breakers {
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
      volumeThreshold: 8,
      errorThresholdPercentage: 49,
      // A caller that leaves says nothing of the upstream, but a trial that ended so must not close the circuit.
      errorFilter: (error) => (error instanceof SourceError ? !speaksAgainst(error) : !breaker.halfOpen),
    });
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
        breaker.disable();
      },
    };
  }
  return { create, close: () => clearInterval(timer) };
}

/** Whether an error speaks against the upstream. What concerns one caller's key or rate never does. */
function speaksAgainst({ fault: { code, httpStatus } }: SourceError): boolean {
  if (code === 'BAD_RESPONSE') return httpStatus === 200;
  return code === 'TIMEOUT' || code === 'UNREACHABLE' || code === 'UPSTREAM_ERROR' || code === 'TOO_LARGE';
}
