import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** Why a request is answered before GraphQL sees it. */
export interface Refusal {
  readonly status: number;
  /** As in the `extensions` of a GraphQL error. */
  readonly code: string;
  /** Names the thing and the remedy. */
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal of something that the caller can put right. */
export function badRequest(status: number, message: string, headers?: Refusal['headers']): Refusal {
  return { status, code: 'BAD_USER_INPUT', message, ...(headers && { headers }) };
}

/** A refusal of what can be served a moment later. */
export function overloaded(reason: string): Refusal {
  const message = `${reason} Try again in a moment.`;
  return { status: 503, code: 'OVERLOADED', message, headers: { 'retry-after': '1' } };
}

/** A request that was given up when its time was over. */
export const deadlineExceeded: Refusal = {
  status: 504,
  code: 'DEADLINE_EXCEEDED',
  message: 'The answer took too long. Ask for less, or try again.',
};

/** In place of the answer to a mutation, of whose writes nothing else tells the client. */
export function withoutAnswer({ status, code }: Refusal): Refusal {
  const message =
    'The answer is not to be had. What was asked for may have been done, in part or whole: look before trying again.';
  return { status, code, message };
}

/** An answer that exists in no form that the client takes (RFC 9110, 15.5.7). */
export const notAcceptable = badRequest(
  406,
  'Accept application/json or application/graphql-response+json; for @defer and @stream, multipart/mixed or text/event-stream.',
);

/** A fault of our own, of which the client is told no more. */
export const internalError: Refusal = { status: 500, code: 'INTERNAL_SERVER_ERROR', message: 'Internal error' };

/** Answers in the form of a GraphQL error. What is left of the request is not read, so the connection ends. */
export function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  if (!request.complete) response.setHeader('connection', 'close');
  refusals.set(response, refusal.code);
  const body = bodyOf(refusal);
  response.writeHead(refusal.status, { ...refusal.headers, ...headersOf(body) });
  response.end(body);
}

const refusals = new WeakMap<ServerResponse, string>();

/** The code of the refusal that a request was answered with, if it was refused. */
export function refusalOf(response: ServerResponse): string | null {
  return refusals.get(response) ?? null;
}

/** The same on a connection for which node:http has no answer to write to, which ends. */
export function refuseRaw(socket: Socket, refusal: Refusal, common: Refusal['headers']): void {
  const { status, headers } = refusal;
  const body = bodyOf(refusal);
  const lines = Object.entries({ ...common, ...headers, ...headersOf(body), connection: 'close' });
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines.map(([name, value]) => `${name}: ${value}`)];
  socket.end([...head, '', body].join('\r\n'));
  socket.destroySoon();
}

function bodyOf({ code, message }: Refusal): string {
  return JSON.stringify({ errors: [{ message, extensions: { code } }] });
}

function headersOf(body: string): Record<string, string> {
  return { 'content-type': 'application/json; charset=utf-8', 'content-length': String(Buffer.byteLength(body)) };
}
