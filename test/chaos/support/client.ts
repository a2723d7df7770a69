import { Pool } from 'undici';
import type { Gateway } from './gateway.ts';
import { search } from './secrets.ts';

/** What became of one request. */
export interface Outcome {
  /** 0 where no whole answer came. */
  readonly status: number;
  readonly ms: number;
  /** The list, where there is one. */
  readonly list: Listed | null;
  /** Why no whole answer came. */
  readonly fault: string | null;
  readonly text: string;
  /** Whether the server ended the connection with this answer. */
  readonly last: boolean;
}

export interface Listed {
  readonly totalCount: number;
  readonly complete: boolean;
  readonly nodes: readonly { readonly externalId: string; readonly url: string }[];
  readonly sources: readonly { readonly source: { readonly key: string }; readonly state: string }[];
}

/** Asks for rows, and how each source went. */
export const listQuery =
  '{ webhooks(first: 1000) { totalCount complete nodes { externalId url health } sources { source { key } state error { code message httpStatus providerCode providerRequestId } } } }';

/** Keep-alive connections to one gateway. */
export interface Client extends AsyncDisposable {
  ask(query?: string, headers?: Record<string, string>): Promise<Outcome>;
  get(path: string): Promise<Outcome>;
  /** Asks for what needs no upstream, until the program has been compiled and the connections stand. */
  warmUp(): Promise<void>;
}

/** Opens as many connections as are needed, up to `connections`. An answer that takes longer than `patienceMs` is none. */
export function openClient({ url, isProgram }: Gateway, connections: number, patienceMs = 20_000): Client {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, headersTimeout: patienceMs, bodyTimeout: patienceMs });

  async function send(path: string, method: 'GET' | 'POST', headers: Record<string, string>, body: string | null) {
    const started = performance.now();
    const ms = () => performance.now() - started;
    try {
      const response = await pool.request({ path, method, headers, body });
      const text = await response.body.text();
      if (isProgram) search(text);
      const last = response.headers.connection === 'close';
      return { status: response.statusCode, ms: ms(), list: readList(text), fault: null, text, last };
    } catch (error) {
      const fault = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      return { status: 0, ms: ms(), list: null, fault, text: '', last: true };
    }
  }

  return {
    ask: (query = listQuery, headers = {}) =>
      send(pathname, 'POST', { ...headers, 'content-type': 'application/json' }, JSON.stringify({ query })),
    get: (path) => send(path, 'GET', {}, null),
    async warmUp() {
      const query = '{ webhookSources { key name provider capabilities id } }';
      await inParallel(connections, 3 * Math.max(connections, 100), () =>
        send(pathname, 'POST', { 'content-type': 'application/json' }, JSON.stringify({ query })),
      );
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

function readList(text: string): Listed | null {
  try {
    const { data, errors } = JSON.parse(text);
    return errors === undefined ? (data?.webhooks ?? null) : null;
  } catch {
    return null;
  }
}

/** Whether a request got no answer with a list in it. */
export function isFailed({ status, list }: Outcome): boolean {
  return status !== 200 || list === null;
}

/** Whether all sources are in the answer. */
export function isWhole({ list }: Outcome): boolean {
  return list?.complete === true;
}

/** Whether the rows of one source are all there. */
export function has(key: string): (outcome: Outcome) => boolean {
  return ({ list }) => list?.sources.some(({ source, state }) => source.key === key && state === 'OK') === true;
}

/** Does `work` `count` times, `clients` at once. */
export async function inParallel<T>(clients: number, count: number, work: (number: number) => Promise<T>) {
  const results: T[] = [];
  let next = 0;
  async function goOn(): Promise<void> {
    while (next < count) {
      const number = next;
      next += 1;
      results.push(await work(number));
    }
  }
  await Promise.all(Array.from({ length: clients }, goOn));
  return results;
}

/** The value that `part` (0 to 1) of all are not above. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

/** How often each outcome that is no list came, for the reader of a figure that is not held. */
export function tally(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>();
  for (const { status, fault, text } of outcomes.filter(isFailed)) {
    const what = fault ?? `${status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ''}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${count} x ${what}`).join('; ');
}
