import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cors } from './cors.ts';

const requestIdPattern = /^[\w.-]{1,64}$/;

/** The headers that every answer has. GraphiQL needs more of its own origin, and says so itself. */
export function commonHeaders(requestId: string = randomUUID()): Record<string, string> {
  return {
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  };
}

/** Gives an answer the headers that all have, and returns the id of its request: the caller's own where it sent a usable one. */
export function setHeaders(request: IncomingMessage, response: ServerResponse, cors: Cors): string {
  const given = request.headers['x-request-id'];
  const requestId = typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID();
  const readable = request.url?.startsWith('/graphql') ? cors(request) : {};
  for (const [name, value] of Object.entries({ ...commonHeaders(requestId), ...readable }))
    response.setHeader(name, value);
  return requestId;
}
