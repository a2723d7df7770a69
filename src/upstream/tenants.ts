import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { SourceError } from '../errors.ts';
import type { Breakers } from './breaker.ts';
import { createCoolDown } from './cool-down.ts';
import { createRetryBudget, type RetryBudget } from './retry.ts';
import { createSharing, type Sharing } from './sharing.ts';

/** All that requests with one key have in common at one upstream. Nothing of it is ever seen with another key. */
export interface Tenant {
  readonly sharing: Sharing;
  readonly budget: RetryBudget;
  /**
   * Makes one call, unless too many are under way (OVERLOADED), the key is to be left alone (RATE_LIMITED) or the
   * upstream keeps failing (CIRCUIT_OPEN).
   */
  call<T>(exchange: () => Promise<T>): Promise<T>;
}

/** The tenants of one upstream: as many as fit, the longest unused forgotten first. */
export interface Tenants {
  /** The tenant whose key is in these headers. Only a digest of it is kept. */
  of(headers: Readonly<Record<string, string>>): Tenant;
}

const mostTenants = 1000;
const mostCalls = 512;
const mostCallsOfOne = 128;

/** No tenant has called yet. */
export function createTenants(breakers: Breakers): Tenants {
  let calls = 0;
  const known = new LRUCache<string, Tenant & { retire(): void }>({
    max: mostTenants,
    dispose: (tenant) => tenant.retire(),
  });

  function create() {
    const breaker = breakers.create();
    const coolDown = createCoolDown(() => performance.now());
    let own = 0;
    return {
      sharing: createSharing(),
      budget: createRetryBudget(),
      async call<T>(exchange: () => Promise<T>): Promise<T> {
        coolDown.check();
        if (calls >= mostCalls || own >= mostCallsOfOne) throw new SourceError('OVERLOADED');
        calls += 1;
        own += 1;
        try {
          const result = await breaker.fire(exchange);
          coolDown.end();
          return result;
        } catch (error) {
          if (error instanceof SourceError && error.fault.code === 'RATE_LIMITED') coolDown.start(error);
          throw error;
        } finally {
          calls -= 1;
          own -= 1;
        }
      },
      retire: () => breaker.retire(),
    };
  }

  return {
    of(headers) {
      const digest = hash('sha256', JSON.stringify(headers));
      const tenant = known.get(digest) ?? create();
      known.set(digest, tenant);
      return tenant;
    },
  };
}
