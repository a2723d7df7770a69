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

/** Where a request goes: to the graph, to what operators ask, or nowhere. */
export type Route = 'graphql' | 'probe' | 'other';

/** What became of an operation; `left` means that its client did not wait. */
export const outcomes = ['whole', 'partial', 'failed', 'refused', 'left'] as const;

export type Outcome = (typeof outcomes)[number];

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
