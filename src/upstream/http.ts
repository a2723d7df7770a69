import { setTimeout as sleep } from 'node:timers/promises';
import { SourceError, type SourceErrorCode, type SourceFaultDetails } from '../errors.ts';
import type { SourceRead } from '../request.ts';
import { isJson, parseBody, statusError } from './answer.ts';
import { createBreakers } from './breaker.ts';
import { createConnections, type UpstreamProxy } from './connections.ts';
import { withDeadline } from './deadline.ts';
import { exchange } from './exchange.ts';
import { noObserver, tellCall, type UpstreamObserver } from './observer.ts';
import { pauseBefore } from './retry.ts';
import { createReuse, type FindVolatile, noReuse } from './reuse.ts';
import type { Start } from './sharing.ts';
import { createTenants, type Tenant } from './tenants.ts';

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

/** What a provider's operation calls its API with: address, key and deadline are in it already. */
export interface Http {
  /**
   * GETs `path` (from the base URL, with a leading slash) and reads the JSON answer, trying again where that may help. An
   * answer that says what the last one said, byte for byte, gives the same object as the last. Throws a `SourceError` for
   * whatever else comes.
   */
  getJson<T extends object>(path: string, reading: Reading<T>): Promise<T>;
  /** The error of an answer 200 that is a failure all the same, with what the provider says of it. */
  failure(code: SourceErrorCode, said: ReturnType<ReadProblem>): SourceError;
}

/** How answers are read. It must depend on nothing but the body: what is made of one may be used for the next. */
export interface Reading<T> {
  /** Makes something of the JSON, which nobody changes; null where it is not what was asked for. */
  readonly read: (json: unknown) => T | null;
  /** Finds the provider's own code and request id in the body of an error answer. */
  readonly problem: ReadProblem;
  readonly findVolatile: FindVolatile<T>;
}

/** Reads what a provider says of its own error; the body is undefined where it is not JSON. */
export type ReadProblem = (body: unknown) => Pick<SourceFaultDetails, 'providerCode' | 'providerRequestId'>;

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
  /** Ends all connections, also those with a call under way. */
  close(): Promise<void>;
}

/** Milliseconds of a deadline that no upstream gets. */
const longestReserveMs = 250;
/** The pool leaves an address within half a minute of its change, the last call to it included. */
const usualConnectionAgeMs = 25_000;

/** Opens a connection pool to `url`. No redirect is ever followed, and no other host is ever called. */
export function createUpstream(url: string, limits: UpstreamLimits, observer: UpstreamObserver = noObserver): Upstream {
  const { origin, pathname, hostname, port, protocol } = new URL(url);
  // Neither path nor query: what goes into a trace is no place for what an address may hold.
  const server = { 'server.address': hostname, 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) };
  const base = pathname.replace(/\/$/, '');
  const connections = createConnections(origin, {
    timeoutMs: limits.attemptTimeoutMs,
    ageMs: limits.connectionAgeMs ?? usualConnectionAgeMs,
    proxy: limits.proxy ?? null,
  });
  // What is left of the deadline is for getting the answer out in time.
  const operationMs = limits.deadlineMs - Math.min(limits.deadlineMs * 0.1, longestReserveMs);
  const breakers = createBreakers(observer.circuit);
  const tenants = createTenants(breakers, limits.maxBytes);
  const reuse = limits.reuseSnapshots === false ? noReuse : createReuse();

  /** One operation: every call in it may be tried again until `signal` or the deadline ends it. */
  function operate<T>(
    tenant: Tenant,
    headers: Readonly<Record<string, string>>,
    operation: (http: Http) => Promise<T>,
    ms: number,
    caller: AbortSignal,
    answered: () => void,
    read: SourceRead | null,
  ): Promise<T> {
    const endsAt = performance.now() + ms;
    return withDeadline(ms, caller, (deadline) => {
      async function once<R extends object>(
        path: string,
        reading: Reading<R>,
        trace: Readonly<Record<string, string>>,
      ): Promise<R> {
        const { attemptTimeoutMs: timeoutMs, maxBytes } = limits;
        const { bytes, digest } = tenant;
        const sent = { ...trace, ...headers };
        const request = { origin, path: base + path, headers: sent, timeoutMs, maxBytes, bytes, answered };
        const answer = await exchange(connections, request, deadline);
        if (answer.status !== 200)
          throw statusError(answer, withoutKey(reading.problem(parseBody(answer).json), headers));
        const key = `${digest} ${path}`;
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
        reuse.keep(key, answer.body, reading.findVolatile(answer.body, value), known && value);
        return value;
      }
      return operation({
        failure: (code, said) => new SourceError(code, { ...withoutKey(said, headers), httpStatus: 200 }),
        async getJson(path, reading) {
          for (let tries = 1; ; tries++) {
            try {
              return await tenant.call(() =>
                tellCall(observer, read, tries, server, (trace) => once(path, reading, trace)),
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

  return {
    run,
    async close() {
      breakers.close();
      await connections.destroy();
    },
  };
}

/** What a provider says of its error, less what repeats the key that it was asked with. */
function withoutKey(said: ReturnType<ReadProblem>, headers: Readonly<Record<string, string>>): ReturnType<ReadProblem> {
  const keys = Object.values(headers).map((value) => value.slice(value.lastIndexOf(' ') + 1));
  const safe = (word: string | null | undefined) => (keys.some((key) => word?.includes(key)) ? null : word);
  return { providerCode: safe(said.providerCode), providerRequestId: safe(said.providerRequestId) };
}
