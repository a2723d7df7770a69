import type { SourceError, SourceFaultDetails } from '../source-error.ts';
import { type Answer, parseBody, statusError } from './answer.ts';

/** Reads what a provider says of its own error; the body is undefined where it is not JSON. */
export type ReadProblem = (
  body: unknown,
) => Pick<SourceFaultDetails, 'providerCode' | 'providerRequestId' | 'objections'>;

/** The error of an answer that refuses, with what the provider says of it, less what repeats one of the `hidden`. */
export function explain(answer: Answer, problem: ReadProblem, hidden: readonly string[]): SourceError {
  return statusError(answer, without(hidden, problem(parseBody(answer).json)));
}

/** The keys in headers that carry them. */
export function keysOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.values(headers).map((value) => value.slice(value.lastIndexOf(' ') + 1));
}

/** What a provider says of its error, less what repeats one of the `hidden`. */
export function without(hidden: readonly string[], said: ReturnType<ReadProblem>): ReturnType<ReadProblem> {
  const safe = (word: string | null | undefined) =>
    hidden.some((text) => text !== '' && word?.includes(text)) ? null : word;
  return {
    ...said,
    providerCode: safe(said.providerCode),
    providerRequestId: safe(said.providerRequestId),
  };
}
