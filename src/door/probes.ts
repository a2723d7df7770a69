import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Metrics } from '../metrics.ts';
import { checkProbe } from './checks.ts';
import { refuse } from './refusal.ts';

/** Answers what operators ask, and tells whether it was that: `/health`, `/ready` and `/metrics`. */
export type AnswerProbe = (path: string, request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

const plain = 'text/plain; charset=utf-8';

/** `isReady` is asked anew each time; `metrics` are null where they have a port of their own. No upstream makes a probe fail: others can be served all the same. */
export function createProbes(isReady: () => boolean, metrics: Metrics | null): AnswerProbe {
  const probes = new Map<string, () => Promise<readonly [number, string, string]>>([
    ['/health', async () => [200, plain, 'alive\n']],
    ['/ready', async () => (isReady() ? [200, plain, 'ready\n'] : [503, plain, 'stopping\n'])],
  ]);
  if (metrics) probes.set('/metrics', async () => [200, metrics.contentType, await metrics.text()]);
  return async (path, request, response) => {
    const probe = probes.get(path);
    if (!probe) return false;
    const refusal = checkProbe(request);
    if (refusal) {
      refuse(request, response, refusal);
      return true;
    }
    const [status, type, text] = await probe();
    response.writeHead(status, { 'content-type': type });
    response.end(text);
    return true;
  };
}
