import type { IncomingMessage, ServerResponse } from 'node:http';

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

/** Answers in the form of a GraphQL error. What is left of the request is not read, so the connection ends. */
export function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const { status, code, message, headers } = refusal;
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(status, { ...headers, 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify({ errors: [{ message, extensions: { code } }] }));
}
