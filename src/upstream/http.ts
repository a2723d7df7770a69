import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceRead } from '../request.ts';
import { SourceError } from '../source-error.ts';
import { type Answer, isJson, parseBody } from './answer.ts';
import type { Http, Reading, WriteHttp } from './calls.ts';
import { createConnections, type UpstreamProxy } from './connections.ts';
import { exchange, type Request } from './exchange.ts';
import { beginCall, noObserver, type UpstreamObserver, type UpstreamWork } from './observer.ts';
import { explain, keysOf, without } from './problem.ts';
import { pauseBefore } from './retry.ts';
import { createReuse, noReuse } from './reuse.ts';
import type { Start, Terms } from './sharing.ts';
import { createTenants, type Tenant } from './tenants.ts';
import { exchangeOnce, readWritten } from './write.ts';

/** Bounds on what one upstream may take of us, and we of it. */
export interface UpstreamLimits {
  /** Milliseconds within which an answer that needs one operation on the source gets out, all its calls included. */
  readonly deadlineMs: number;
  /** Milliseconds for one call, connecting included. */
  readonly attemptTimeoutMs: number;
  /** Bytes of one answer's body. */
  readonly maxBytes: number;
  /** Whether requests that ask the same at the same time share one operation. */
  readonly shareInFlight: boolean;
  /** Whether nothing is made again of a body that came again, byte for byte; it is if not given. */
  readonly reuseSnapshots?: boolean;
  /** Milliseconds after which a connection carries no further call, so that a new address is found; 25 s if not given. */
  readonly connectionAgeMs?: number;
  /** What calls go through, but those to this machine; none if not given. */
  readonly proxy?: UpstreamProxy | null;
}

/** The HTTP service behind one source. */
export interface Upstream {
  /**
   * Runs the operation `name` under a deadline of its own, which `caller` (it left) may cut short. `headers` carry the
   * key. Two runs of one name under one key must do the same: they may share one result. Calls are told of as those of
   * `read`, whose request began them. Rejects with a `SourceError` or, once `caller` left, with the reason of that.
   */
  run<T>(
    name: string,
    headers: Readonly<Record<string, string>>,
    caller: AbortSignal,
    operation: (http: Http) => Promise<T>,
    read?: SourceRead,
  ): Promise<T>;
  /**
   * Runs a write under a deadline of its own, which no caller who leaves cuts short. Reads that began before its end are
   * joined by nobody who asks after it, under whatever key. Throws a `SourceError`.
   */
  write<T>(
    headers: Readonly<Record<string, string>>,
    operation: (http: WriteHttp) => Promise<T>,
    work?: UpstreamWork,
  ): Promise<T>;
  /** Ends all connections, also those with a call under way. */
  close(): Promise<void>;
}

/** What one call is to ask. */
type Wanted = Pick<Request, 'method' | 'path' | 'body' | 'known' | 'answered'>;

/** One operation, while it goes on. */
interface Operation {
  readonly tenant: Tenant;
  /** Those that carry the key. */
  readonly headers: Readonly<Record<string, string>>;
  /** By `performance.now()`. */
  readonly endsAt: number;
  readonly work: UpstreamWork | null;
  /** How many requests wait for it now. */
  waiting(): number;
}

/** Milliseconds of a deadline that no upstream gets. */
const longestReserveMs = 300;
/** Calls leave an address within half a minute of its change, the last call to it included. */
const usualConnectionAgeMs = 25_000;

/** Opens connections to `url`. No redirect is ever followed, and no other host is ever called. */
export function createUpstream(url: string, limits: UpstreamLimits, observer: UpstreamObserver = noObserver): Upstream {
  const { origin, pathname, hostname, port, protocol } = new URL(url);
  // Neither path nor query: what goes into a trace is no place for what an address may hold.
  const server = { 'server.address': hostname, 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) };
  const base = pathname.replace(/\/$/, '');
  const connecting = {
    timeoutMs: limits.attemptTimeoutMs,
    ageMs: limits.connectionAgeMs ?? usualConnectionAgeMs,
    proxy: limits.proxy ?? null,
  };
  const connections = createConnections(origin, connecting);
  // One that waited may be closed by the other side as a write goes out, and nobody would know whether it arrived.
  const newConnections = createConnections(origin, { ...connecting, once: true });
  // What is left of the deadline is for getting the answer out in time.
  const operationMs = limits.deadlineMs - Math.min(limits.deadlineMs * 0.1, longestReserveMs);
  const usualMs = Math.min(limits.attemptTimeoutMs, operationMs);
  const tenants = createTenants(observer.circuit, limits.maxBytes);
  const reuse = limits.reuseSnapshots === false ? noReuse : createReuse();

  /** Begins one call: whoever is to know of it is told now, and of how it ends. */
  function begin({ tenant, headers, endsAt, work, waiting }: Operation, wanted: Wanted, attempt: number) {
    const { method, path, body, known, answered } = wanted;
    const timeoutMs = Math.min(limits.attemptTimeoutMs, endsAt - performance.now());
    if (timeoutMs <= 0) throw new SourceError('TIMEOUT');
    const end = tenant.begin();
    const begun = beginCall(observer, work, method, attempt, server);
    const request: Request = {
      method,
      origin,
      path: base + path,
      headers: begun.headers ? { ...begun.headers, ...headers } : headers,
      body,
      timeoutMs,
      maxBytes: limits.maxBytes,
      bytes: tenant.bytes,
      known,
      answered,
    };
    return {
      request,
      end(error: unknown) {
        begun.end(error);
        // One that had less than half of the usual time tells too little to speak for all who waited.
        end(error, timeoutMs < usualMs / 2 ? 1 : waiting());
      },
    };
  }

  /** `key` names what was learnt of the answers that came before. */
  function readAnswer<T extends object>(answer: Answer, { headers }: Operation, key: string, by: Reading<T>): T {
    if (answer.status !== 200) throw explain(answer, by.problem, keysOf(headers));
    const known = by.findVolatile && reuse.find(key);
    const isSame = answer.body === known?.body;
    // Under one key stands only what this reading made: of one path, and for one provider.
    if (isSame && known.value && isJson(answer)) {
      observer.unchanged();
      return known.value as T;
    }
    const body = parseBody(answer);
    if ('error' in body) throw body.error;
    const value = by.read(body.json);
    if (!value) throw new SourceError('BAD_RESPONSE', { httpStatus: 200 });
    const more = isSame && { value };
    if (by.findVolatile) reuse.keep(key, { body: answer.body, span: by.findVolatile(answer.body, value), ...more });
    return value;
  }

  /** What an operation reads with: every call in it may be tried again until `caller` leaves, or its time is over. */
  function openHttp(operation: Operation, { signal: caller, answered }: Terms): Http {
    const { tenant, headers, endsAt } = operation;
    return {
      failure: (code, said) => new SourceError(code, { ...without(keysOf(headers), said), httpStatus: 200 }),
      async getJson(path, reading) {
        const key = `${tenant.digest} ${path}`;
        const known = reading.findVolatile ? () => reuse.find(key) : undefined;
        const wanted = { method: 'GET', path, body: null, known, answered } as const;
        for (let tries = 1; ; tries++) {
          let call: ReturnType<typeof begin> | undefined;
          try {
            const begun = begin(operation, wanted, tries);
            call = begun;
            return await exchange(connections, begun.request, caller, (answer) => {
              const value = readAnswer(answer, operation, key, reading);
              begun.end(null);
              return value;
            });
          } catch (error) {
            call?.end(error);
            const pause = pauseBefore(tries + 1, error, endsAt - performance.now(), Math.random);
            if (pause === null || !tenant.budget.spend()) throw error;
            observer.retried();
            await sleep(pause, undefined, { signal: caller });
          }
        }
      },
    };
  }

  function run<T>(
    name: string,
    headers: Readonly<Record<string, string>>,
    caller: AbortSignal,
    operation: (http: Http) => Promise<T>,
    read: SourceRead | null = null,
  ): Promise<T> {
    const tenant = tenants.of(headers);
    let isStarted = false;
    const start: Start<T> = (terms) => {
      isStarted = true;
      const { ms, waiting } = terms;
      const own = { tenant, headers, endsAt: performance.now() + ms, work: read, waiting };
      return operation(openHttp(own, terms));
    };
    // Nobody waits for the one call that tries an open circuit but who makes it.
    if (!limits.shareInFlight || !tenant.passes()) return start({ ...alone, ms: operationMs, signal: caller });
    const result = tenant.sharing.run(name, operationMs, caller, start);
    // Whoever joins starts nothing at first.
    if (!isStarted) {
      observer.joined();
      if (read) read.joined = true;
    }
    return result;
  }

  async function write<T>(
    headers: Readonly<Record<string, string>>,
    operation: (http: WriteHttp) => Promise<T>,
    work: UpstreamWork | null = null,
  ): Promise<T> {
    const tenant = tenants.of(headers);
    const hidden = keysOf(headers);
    const own = { tenant, headers, endsAt: performance.now() + operationMs, work, waiting: alone.waiting };
    tenants.seal();
    try {
      return await operation({
        failure: (code, said) => new SourceError(code, { ...without(hidden, said), httpStatus: 200 }),
        async send(method, path, body, { read, problem, secrets }) {
          hidden.push(...secrets);
          const wanted = { method, path, body: body && JSON.stringify(body), answered() {} };
          const call = begin(own, wanted, 1);
          try {
            const answer = await exchangeOnce(newConnections, call.request, stays);
            const value = readWritten(answer, read, (refusal) => explain(refusal, problem, hidden));
            call.end(null);
            return value;
          } catch (error) {
            call.end(error);
            throw error;
          }
        },
      });
    } finally {
      tenants.seal();
    }
  }

  return {
    run,
    write,
    async close() {
      await Promise.all([connections.destroy(), newConnections.destroy()]);
    },
  };
}

/** Terms of what one request waits for and nobody joins. */
const alone = { answered() {}, waiting: () => 1 };

/** A caller who does not leave. */
const stays = new AbortController().signal;
