import { SourceError } from '../errors.ts';

/** Something that ends on its own: when its time is up, or when the signal that it hangs on says so. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Starts a deadline of `ms` below `parent`. Its signal aborts with a `SourceError` TIMEOUT when the time is up. Dispose of
 * it when the work is done. (`AbortSignal.timeout` below `AbortSignal.any` may be collected before it fires:
 * `reliability.md` fact 4.)
 */
export function startDeadline(ms: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new SourceError('TIMEOUT')), ms);
  const follow = () => controller.abort(parent?.reason);
  if (parent?.aborted) follow();
  parent?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent?.removeEventListener('abort', follow);
    },
  };
}

/** Settles with `work`, or rejects with the signal's reason as soon as it aborts, even if `work` ignores the signal. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
