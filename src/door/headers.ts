import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cors } from './cors.ts';

const requestIdPattern = /^[\w.-]{1,64}$/;

/** The headers that every answer has, whatever it is. GraphiQL needs more of its own origin, and says so itself. */
const constant = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};
const constantPairs = Object.entries(constant);

/** The headers that every answer has, for an answer to what could not be read. */
export function commonHeaders(): Record<string, string> {
  return { 'x-request-id': randomUUID(), ...constant };
}

/** Gives an answer the headers that all have, and returns the id of its request: the caller's own where it sent a usable one. */
export function setHeaders(request: IncomingMessage, response: ServerResponse, cors: Cors): string {
  const given = request.headers['x-request-id'];
  const requestId = typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID();
  response.setHeader('x-request-id', requestId);
  for (const [name, value] of constantPairs) response.setHeader(name, value);
  if (request.url?.startsWith('/graphql')) {
    const readable = cors(request);
    for (const name in readable) response.setHeader(name, readable[name] ?? '');
  }
  return requestId;
}
