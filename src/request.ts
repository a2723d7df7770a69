import { randomUUID } from 'node:crypto';

/** What callers may be allowed to do. */
export const scopes = ['webhooks:read', 'webhooks:write', 'webhooks:payloads'] as const;

export type Scope = (typeof scopes)[number];

/** Who sent a request, as its token says. */
export interface Caller {
  /** For logs and rate limits; never the token. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** Who asks for no more than a page without data. */
export const nobody: Caller = { name: 'nobody', scopes: new Set() };

/** One request, as far as the front door knows it. */
export interface RequestRecord {
  /** Goes out as `x-request-id`. */
  readonly id: string;
  /** null where callers are not asked who they are. */
  readonly caller: Caller | null;
}

/** A request of which nothing is known. */
export function createRecord(id: string = randomUUID(), caller: Caller | null = null): RequestRecord {
  return { id, caller };
}

/** Whether a request may do what needs this scope: where callers are not asked who they are, all may. */
export function isAllowed({ caller }: Pick<RequestRecord, 'caller'>, scope: Scope): boolean {
  return caller === null || caller.scopes.has(scope);
}
