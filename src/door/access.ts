import type { IncomingMessage, ServerResponse } from 'node:http';
import { clientNetwork } from '../address.ts';
import type { Authentication, Identity } from '../auth/authentication.ts';
import { type Caller, nobody } from '../request.ts';
import { valuesOf } from './headers.ts';
import { createRateLimit } from './rate-limit.ts';
import type { Refusal } from './refusal.ts';

export interface AccessOptions {
  /** Tells who calls; null where nobody is asked. */
  readonly authentication: Authentication | null;
  /** Requests that each caller may send in a minute; null for any number. */
  readonly rateLimit: number | null;
  /** Whether GraphQL answers a browser that asks for a page with GraphiQL. */
  readonly graphiql: boolean;
}

/** Who sent a request, null where nobody is asked, or why it is refused. */
export type Admission = { readonly caller: Caller | null } | { readonly refusal: Refusal };

const anybody: Admission = { caller: null };

/** Decides who may come in, by the head of a request alone. */
export interface Access {
  /** To GraphQL: each request counts, and the answer gets the headers that tell its caller of the limit. */
  admit(request: IncomingMessage, response: ServerResponse): Admission | Promise<Admission>;
  /** To what tells operators how the process fares: any token will do. */
  checkOperator(request: IncomingMessage): Promise<Refusal | null>;
}

/** Lets in who has a token, everyone where there is no authentication, and to the page of GraphiQL, if there is one, anyone. */
export function createAccess({ authentication, rateLimit, graphiql }: AccessOptions): Access {
  const limit = rateLimit === null ? null : createRateLimit(rateLimit);

  async function identify(request: IncomingMessage): Promise<Admission> {
    if (!authentication) return anybody;
    const identity = await authentication.identify(valuesOf(request, 'authorization'));
    return typeof identity === 'string' ? { refusal: refusals[identity] } : { caller: identity };
  }

  async function decide(request: IncomingMessage, response: ServerResponse): Promise<Admission> {
    // The page holds no data. Whatever else such a request were taken for, nobody may do anything.
    const isPage = authentication !== null && graphiql && asksForPage(request);
    const admission = isPage ? { caller: nobody } : await identify(request);
    if (!limit || 'refusal' in admission || response.headersSent) return admission;
    const { headers, refusal } = limit(countedAs(request, admission.caller));
    response.setHeaders(new Map(Object.entries(headers)));
    return refusal ? { refusal } : admission;
  }

  return {
    admit(request, response) {
      return authentication || limit ? decide(request, response) : anybody;
    },
    async checkOperator(request) {
      const admission = await identify(request);
      return 'refusal' in admission ? admission.refusal : null;
    },
  };
}

/** The words by which Yoga tells it; the address of the page holds what is in its editor, also when it is loaded again. */
function asksForPage({ method, headers: { accept } }: IncomingMessage): boolean {
  return method === 'GET' && accept?.includes('text/html') === true;
}

/** Whose requests are counted together: those of a caller or, where that is not known, of an address. */
function countedAs({ socket }: IncomingMessage, caller: Caller | null): string {
  const isKnown = caller !== null && caller !== nobody;
  return isKnown ? `caller ${caller.name}` : `address ${clientNetwork(socket.remoteAddress ?? '')}`;
}

/** A challenge of RFC 6750, 3: the same words, whatever is wrong, but for whether there was a token. */
function unauthenticated(challenge: string): Refusal {
  return {
    status: 401,
    code: 'UNAUTHENTICATED',
    message: 'A valid token is needed. Send the header "Authorization: Bearer" with one.',
    headers: { 'www-authenticate': challenge },
  };
}

const refusals: Readonly<Record<Extract<Identity, string>, Refusal>> = {
  missing: unauthenticated('Bearer realm="hookgraph"'),
  invalid: unauthenticated('Bearer realm="hookgraph", error="invalid_token"'),
  unavailable: {
    status: 503,
    code: 'UNAUTHENTICATED',
    message: 'Whether this token is valid cannot be told at the moment. Try again soon.',
    headers: { 'retry-after': '5' },
  },
};
