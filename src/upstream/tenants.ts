import { hash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { SourceError } from '../source-error.ts';
import { createBreaker, type EndCall } from './breaker.ts';
import { createCoolDown } from './cool-down.ts';
import { createQuota, type Quota } from './quota.ts';
import { createRetryBudget, type RetryBudget } from './retry.ts';
import { createSharing, type Sharing } from './sharing.ts';

/** All that requests with one key have in common at one upstream. Nothing of it is ever seen with another key. */
export interface Tenant {
  /** What tells its key from others, and tells nothing of it. */
  readonly digest: string;
  readonly sharing: Sharing;
  readonly budget: RetryBudget;
  /** Bytes of bodies that are being read. */
  readonly bytes: Quota;
  /**
   * Begins one call, and wants to be told once how it ended. Throws a `SourceError` where too many are under way (OVERLOADED),
   * the key is to be left alone (RATE_LIMITED) or the upstream keeps failing (CIRCUIT_OPEN).
   */
  begin(): EndCall;
  /** Whether the circuit lets every call pass: it is not open, nor is one call just trying whether it may close. */
  passes(): boolean;
}

/** The tenants of one upstream: as many as fit, the longest unused forgotten first. */
export interface Tenants {
  /** The tenant whose key is in these headers. Only a digest of it is kept. */
  of(headers: Readonly<Record<string, string>>): Tenant;
  /** Lets nobody join any read that is under way: a write may change what all of them would see, as several keys may be of one account. */
  seal(): void;
}

const mostTenants = 1000;
/** What one upstream takes at most: calls under way, bodies of the largest size being read, retries in reserve. */
const ofAll = { calls: 512, bodies: 16, retries: 50 };
/** The same of one tenant, so that several of them may take all that they can and leave some. */
const ofOne = { calls: 128, bodies: 8, retries: 10 };

/** No tenant has called yet. `maxBytes` is the size of the largest body; `circuitChanged` is told of each circuit. */
export function createTenants(circuitChanged: (isOpen: boolean) => void, maxBytes: number): Tenants {
  const calls = createQuota(ofAll.calls);
  const bytes = createQuota(ofAll.bodies * maxBytes);
  const retries = createRetryBudget(ofAll.retries);
  const known = new LRUCache<string, Tenant & { retire(): void }>({
    max: mostTenants,
    dispose: (tenant) => tenant.retire(),
  });

  /** `forget` is called for a key that is refused and never was of use: so that guessed keys push out nobody else's. */
  function create(digest: string, forget: () => void) {
    const breaker = createBreaker(circuitChanged);
    const budget = createRetryBudget(ofOne.retries, retries);
    const coolDown = createCoolDown(() => performance.now());
    const ownCalls = createQuota(ofOne.calls, calls);
    let wasOfUse = false;

    function enterCircuit(): EndCall {
      try {
        return breaker.begin();
      } catch (error) {
        ownCalls.give(1);
        throw error;
      }
    }
    function fail(error: SourceError): void {
      const { code } = error.fault;
      if (code === 'RATE_LIMITED') coolDown.start(error);
      if (!wasOfUse && (code === 'UNAUTHORIZED' || code === 'FORBIDDEN')) forget();
    }

    return {
      digest,
      sharing: createSharing(),
      budget,
      bytes: createQuota(ofOne.bodies * maxBytes, bytes),
      begin() {
        coolDown.check();
        if (!ownCalls.take(1)) throw new SourceError('OVERLOADED');
        const end = enterCircuit();
        budget.earn();
        return (error: unknown, waiting: number) => {
          ownCalls.give(1);
          end(error, waiting);
          if (error === null) {
            coolDown.end();
            wasOfUse = true;
          } else if (error instanceof SourceError) fail(error);
        };
      },
      passes: () => breaker.passes(),
      retire: () => breaker.retire(),
    };
  }

  /** Of the configured keys, the headers are the same objects every time. */
  const digests = new WeakMap<object, string>();
  function digestOf(headers: Readonly<Record<string, string>>): string {
    const digest = digests.get(headers) ?? hash('sha256', JSON.stringify(headers));
    digests.set(headers, digest);
    return digest;
  }

  return {
    of(headers) {
      const digest = digestOf(headers);
      const found = known.get(digest);
      if (found) return found;
      const tenant = create(digest, () => known.delete(digest));
      known.set(digest, tenant);
      return tenant;
    },
    seal() {
      for (const { sharing } of known.values()) sharing.seal();
    },
  };
}
