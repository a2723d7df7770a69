import { SourceError } from '../../src/source-error.ts';
import type { Http } from '../../src/upstream/calls.ts';
import type { Upstream } from '../../src/upstream/http.ts';

export interface BareOptions {
  /** Shares by the operation's name alone, whoever asks. */
  readonly shareInFlight: boolean;
  /** Gets the body of every answer. */
  readonly keep?: (text: string) => void;
}

/** An upstream without any policy: one fetch a call, whatever happens, and what comes is passed on. */
export function createBareUpstream(url: string, { shareInFlight, keep }: BareOptions): Upstream {
  const underWay = new Map<string, Promise<unknown>>();
  return {
    async run<T>(
      name: string,
      headers: Readonly<Record<string, string>>,
      _caller: AbortSignal,
      operation: (http: Http) => Promise<T>,
    ) {
      const start = () =>
        operation({
          failure: (code, details) => new SourceError(code, details),
          async getJson(path, { read }) {
            let text = '';
            try {
              const response = await fetch(url + path, { headers });
              text = await response.text();
              keep?.(text);
              const value = response.status === 200 ? read(JSON.parse(text)) : null;
              if (value) return value;
            } catch (error) {
              throw new SourceError('UNREACHABLE', {}, error);
            }
            throw new SourceError('UPSTREAM_ERROR', { message: text });
          },
        });
      if (!shareInFlight) return await start();
      const shared = underWay.get(name) ?? start().finally(() => underWay.delete(name));
      underWay.set(name, shared);
      return (await shared) as T;
    },
    // It only reads.
    write: () => Promise.reject(new SourceError('NOT_CONFIGURED')),
    close: async () => {},
  };
}
