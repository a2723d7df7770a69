import type { IncomingMessage, ServerResponse } from 'node:http';

type Headers = Readonly<Record<string, string>>;

/** The headers that let the page which sent a request read the answer; none where it may not. */
export type Cors = (request: IncomingMessage) => Headers;

const localhostOrigin = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** The headers that carry providers' keys are not among them. */
const allowedHeaders = [
  'apollographql-client-name',
  'apollographql-client-version',
  'content-type',
  'authorization',
  'x-request-id',
  'x-graphql-yoga-csrf',
  'apollo-require-preflight',
  'graphql-require-preflight',
];

const exposedHeaders = ['x-request-id', 'retry-after', 'ratelimit', 'ratelimit-policy'];

/** Lets pages of exact origins read, or of any on this machine, and never with credentials (Fetch standard, CORS protocol). */
export function createCors(origins: readonly string[] | 'localhost'): Cors {
  const isAllowed = (origin: string) =>
    origins === 'localhost' ? localhostOrigin.test(origin) : origins.includes(origin);
  return ({ method, headers: { origin } }) => {
    if (origins.length === 0) return {};
    // Also of who may not: caches on the way must not take one answer for the other.
    if (origin === undefined || !isAllowed(origin)) return { vary: 'Origin' };
    const common = { vary: 'Origin', 'access-control-allow-origin': origin };
    if (method !== 'OPTIONS') return { ...common, 'access-control-expose-headers': exposedHeaders.join(', ') };
    return {
      ...common,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': allowedHeaders.join(', '),
      'access-control-max-age': '600',
    };
  };
}

/** Answers what a browser asks before a request; what it wants to know is in the headers that every answer has. */
export function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, { allow: 'GET, POST, OPTIONS', 'content-length': '0' });
  response.end();
}
