import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { createRequestId } from '../request-id.ts';
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

/** The headers that every answer has, for an answer to what could not be read. */
export function commonHeaders(): Record<string, string> {
  return { 'x-request-id': createRequestId(), ...constant };
}

/**
 * What a request says under a name, which is in lower case, however often it says it. (node:http's own `headersDistinct` makes
 * lists of all that a browser sends.)
 */
export function valuesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  return rawHeaders.filter((_value, index) => index % 2 === 1 && isCalled(rawHeaders[index - 1] ?? '', name));
}

function isCalled(header: string, name: string): boolean {
  return header.length === name.length && header.toLowerCase() === name;
}

/** The headers of Yoga's answer by their names in lower case, which not all of its own are. */
export function headersOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].map(([name, value]) => [name.toLowerCase(), value]));
}

/**
 * An answer with the headers that all have. They go out with its own, which count more, when these are written: to set one by one
 * took node:http a third longer for the whole head. (A class, as node:http makes answers itself, of the class that it is given.)
 */
export class Reply extends ServerResponse {
  /** Those of its request. */
  private asked: Readonly<Record<string, string>> = {};

  /** Gives it those of a request, and returns the id that the request has from now on: its caller's own where that is usable. */
  answer(request: IncomingMessage, cors: Cors): string {
    const given = request.headers['x-request-id'];
    const requestId = typeof given === 'string' && requestIdPattern.test(given) ? given : createRequestId();
    const readable = request.url?.startsWith('/graphql') ? cors(request) : {};
    this.asked = { 'x-request-id': requestId, ...readable };
    return requestId;
  }

  /** `own` are named in lower case; of all that node:http takes for them, nobody here has anything else. */
  override writeHead(status: number, own?: OutgoingHttpHeaders | OutgoingHttpHeader[] | string): this {
    return super.writeHead(status, { ...constant, ...this.asked, ...(own as OutgoingHttpHeaders) });
  }
}
