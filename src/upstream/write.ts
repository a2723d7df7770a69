import { SourceError, UnknownOutcome } from '../source-error.ts';
import { type Answer, parseBody } from './answer.ts';
import type { Connections } from './connections.ts';
import { exchange, type Request } from './exchange.ts';

/** How the answer to a write is read that says that it was done. */
export interface WriteReading<T> {
  /** Makes something of the JSON, which is undefined where there is no body: that it was done, the status has said. */
  readonly read: (json: unknown) => T;
  /** What was sent that no word of the provider's may repeat. */
  readonly secrets: readonly string[];
}

/** The successes that are documented for writes, at one provider or the other (`upstreams.md` A4, A5, B2). */
const done = [200, 201, 204];
/** What stands before the provider says with these that it heard nothing from it (RFC 9110, 15.6.3 and 15.6.5). */
const unanswered = [502, 504];
/** The last status of a server's fault that is registered. Those above are words of what stands before: 524 is "no answer in time" at Cloudflare. */
const lastRegistered = 511;

/** Whether a status other than of success leaves open what was done. */
function isUnclear(answer: Answer): boolean {
  const { status } = answer;
  if (unanswered.includes(status) || status > lastRegistered || (status >= 200 && status <= 299)) return true;
  // "See other" is how some say that it was done (RFC 9110, 15.4.4).
  if (status === 303) return true;
  // What stands before the provider answers 503 where a connection broke. The provider itself speaks JSON.
  return status >= 500 && 'error' in parseBody(answer);
}

/** Sends a write once. Throws an `UnknownOutcome` where it may have arrived and nothing was heard of it. */
export async function exchangeOnce(connections: Connections, request: Request, signal: AbortSignal): Promise<Answer> {
  let isSent = false;
  const sent = () => {
    isSent = true;
  };
  try {
    return await exchange(connections, { ...request, sent }, signal, (answer) => answer);
  } catch (error) {
    throw isSent && error instanceof SourceError ? new UnknownOutcome(error, error.cause) : error;
  }
}

/**
 * Makes something of an answer that says that a write was done. Throws a `SourceError` where it was not, and an
 * `UnknownOutcome` where what was said of it cannot be understood. `explain` makes the error of an answer that refuses.
 */
export function readWritten<T>(
  answer: Answer,
  read: WriteReading<T>['read'],
  explain: (answer: Answer) => SourceError,
): T {
  const { status, body } = answer;
  if (!done.includes(status)) {
    const error = explain(answer);
    throw isUnclear(answer) ? new UnknownOutcome(error) : error;
  }
  if (body.length === 0) return read(undefined);
  const parsed = parseBody(answer);
  // A page of something in between, perhaps: its status is not the provider's.
  if ('error' in parsed) throw new UnknownOutcome(parsed.error);
  return read(parsed.json);
}
