import { setTimeout as sleep } from 'node:timers/promises';
import { SourceError } from '../errors.ts';
import type { SourceRead } from '../request.ts';
import { isJson, parseBody } from './answer.ts';
import { createBreakers } from './breaker.ts';
import type { Http, Reading, WriteHttp } from './calls.ts';
import { createConnections, type UpstreamProxy } from './connections.ts';
import { withDeadline } from './deadline.ts';
import { exchange, type Request } from './exchange.ts';
import { noObserver, tellCall, type UpstreamObserver, type UpstreamWork } from './observer.ts';
import { explain, keysOf, without } from './problem.ts';
import { pauseBefore } from './retry.ts';
import { createReuse, noReuse } from './reuse.ts';
import type { Start } from './sharing.ts';
import { createTenants, type Tenant } from './tenants.ts';
import { sendWrite } from './write.ts';

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
   * `read`, whose request began them. Throws a `SourceError`.
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

/** Milliseconds of a deadline that no upstream gets. */
const longestReserveMs = 300;
/** The pool leaves an address within half a minute of its change, the last call to it included. */
const usualConnectionAgeMs = 25_000;

/** Opens a connection pool to `url`. No redirect is ever followed, and no other host is ever called. */
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
  const breakers = createBreakers(observer.circuit);
  const tenants = createTenants(breakers, limits.maxBytes);
  const reuse = limits.reuseSnapshots === false ? noReuse : createReuse();

  function requestOf(
    { bytes }: Tenant,
    method: Request['method'],
    path: string,
    headers: Request['headers'],
    body: Request['body'],
    answered: () => void,
  ): Request {
    const { attemptTimeoutMs: timeoutMs, maxBytes } = limits;
    return { method, origin, path: base + path, headers, body, timeoutMs, maxBytes, bytes, answered };
  }

  /** One operation that reads: every call in it may be tried again until `signal` or the deadline ends it. */
  function operate<T>(
    tenant: Tenant,
    headers: Readonly<Record<string, string>>,
    operation: (http: Http) => Promise<T>,
    ms: number,
    caller: AbortSignal,
    answered: () => void,
    work: UpstreamWork | null,
  ): Promise<T> {
    const endsAt = performance.now() + ms;
    return withDeadline(ms, caller, (deadline) => {
      async function once<R extends object>(
        path: string,
        reading: Reading<R>,
        trace: Readonly<Record<string, string>>,
      ): Promise<R> {
        const request = requestOf(tenant, 'GET', path, { ...trace, ...headers }, null, answered);
        const answer = await exchange(connections, request, deadline);
        if (answer.status !== 200) throw explain(answer, reading.problem, keysOf(headers));
        const key = `${tenant.digest} ${path}`;
        const known = isJson(answer) ? reuse.find(key, answer.body) : undefined;
        // Under one key stands only what this reading made: of one path, and for one provider.
        if (known?.value) {
          observer.unchanged();
          return known.value as R;
        }
        const body = parseBody(answer);
        if ('error' in body) throw body.error;
        const value = reading.read(body.json);
        if (!value) throw new SourceError('BAD_RESPONSE', { httpStatus: 200 });
        if (reading.findVolatile)
          reuse.keep(key, answer.body, reading.findVolatile(answer.body, value), known && value);
        return value;
      }
      return operation({
        failure: (code, said) => new SourceError(code, { ...without(keysOf(headers), said), httpStatus: 200 }),
        async getJson(path, reading) {
          for (let tries = 1; ; tries++) {
            try {
              return await tenant.call(() =>
                tellCall(observer, work, 'GET', tries, server, (trace) => once(path, reading, trace)),
              );
            } catch (error) {
              const pause = pauseBefore(tries + 1, error, endsAt - performance.now(), Math.random);
              if (pause === null || !tenant.budget.spend()) throw error;
              observer.retried();
              await sleep(pause, undefined, { signal: deadline }).catch(() => {
                throw deadline.reason;
              });
            }
          }
        },
      });
    });
  }

  async function run<T>(
    name: string,
    headers: Readonly<Record<string, string>>,
    caller: AbortSignal,
    operation: (http: Http) => Promise<T>,
    read: SourceRead | null = null,
  ): Promise<T> {
    const tenant = tenants.of(headers);
    let isStarted = false;
    const start: Start<T> = (ms, signal, answered) => {
      isStarted = true;
      return operate(tenant, headers, operation, ms, signal, answered, read);
    };
    try {
      if (!limits.shareInFlight) return await start(operationMs, caller, () => {});
      const result = tenant.sharing.run(name, operationMs, caller, start);
      // Whoever joins starts nothing at first.
      if (!isStarted) {
        observer.joined();
        if (read) read.joined = true;
      }
      return await result;
    } catch (error) {
      throw caller.aborted ? new SourceError('UNREACHABLE', { message: 'The caller left.' }, error) : error;
    }
  }

  async function write<T>(
    headers: Readonly<Record<string, string>>,
    operation: (http: WriteHttp) => Promise<T>,
    work: UpstreamWork | null = null,
  ): Promise<T> {
    const tenant = tenants.of(headers);
    const hidden = keysOf(headers);
    tenants.seal();
    try {
      return await withDeadline(operationMs, stays, (deadline) =>
        operation({
          failure: (code, said) => new SourceError(code, { ...without(hidden, said), httpStatus: 200 }),
          send(method, path, body, { read, problem, secrets }) {
            hidden.push(...secrets);
            const text = body && JSON.stringify(body);
            return tenant.call(() =>
              tellCall(observer, work, method, 1, server, (trace) => {
                const request = requestOf(tenant, method, path, { ...trace, ...headers }, text, () => {});
                return sendWrite(newConnections, request, deadline, read, (it) => explain(it, problem, hidden));
              }),
            );
          },
        }),
      );
    } finally {
      tenants.seal();
    }
  }

  return {
    run,
    write,
    async close() {
      breakers.close();
      await Promise.all([connections.destroy(), newConnections.destroy()]);
    },
  };
}

/** A caller who does not leave. */
const stays = new AbortController().signal;
