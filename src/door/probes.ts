import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Metrics } from '../metrics.ts';
import { checkProbe } from './checks.ts';
import { type Refusal, refuse } from './refusal.ts';

/** Answers what operators ask, and tells whether it was that: `/health`, `/ready` and `/metrics`. */
export type AnswerProbe = (path: string, request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

const plain = 'text/plain; charset=utf-8';

/**
 * `whyNotReady` is asked anew each time, and says nothing where all is ready. No upstream makes a probe fail: others can be
 * served all the same. `metrics` are null where they have a port of their own; `checkMetrics` says who may not read these.
 */
export function createProbes(
  whyNotReady: () => string | null,
  metrics: Metrics | null,
  checkMetrics: (request: IncomingMessage) => Promise<Refusal | null>,
): AnswerProbe {
  const probes = new Map<string, () => Promise<readonly [number, string, string]>>([
    ['/health', async () => [200, plain, 'alive\n']],
    ['/ready', async () => [whyNotReady() === null ? 200 : 503, plain, `${whyNotReady() ?? 'ready'}\n`]],
  ]);
  if (metrics) probes.set('/metrics', async () => [200, metrics.contentType, await metrics.text()]);
  return async (path, request, response) => {
    const probe = probes.get(path);
    if (!probe) return false;
    const refusal = checkProbe(request) ?? (path === '/metrics' ? await checkMetrics(request) : null);
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
