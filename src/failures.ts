import type { ExecutionResult } from '@graphql-tools/utils';
import type { GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Context } from './context.ts';
import { locateFailure } from './errors.ts';

/**
 * Adds the failures that resolvers left on the context to the errors of the answer, in its pieces each to the one that
 * they belong to. `mask` is what Yoga does to the errors of an answer; those of pieces it does not look at.
 */
export function useSourceFailures(mask: (error: unknown) => GraphQLError): Plugin<Context> {
  return {
    onExecute: ({ args: { contextValue } }) => ({
      onExecuteDone({ result, setResult }) {
        const { failures } = contextValue;
        if (!isAsyncIterable(result)) return void setResult(withFailures(result, failures, () => true));
        return {
          onNext({ result: next, setResult: setNext }) {
            const { incremental, ...rest } = next as ExecutionResult;
            const isEnd = rest.hasNext === false;
            if (!incremental) return setNext(withFailures(rest, failures, (path) => isEnd || holds(rest, path)));
            const pieces = incremental.map((piece, index) => {
              // What belongs nowhere must not be lost.
              const isLast = isEnd && index === incremental.length - 1;
              const whole = withFailures(piece, failures, (path) => isLast || holds(piece, path));
              return whole.errors ? { ...whole, errors: whole.errors.map(mask) } : whole;
            });
            const answer: ExecutionResult = { ...rest, incremental: pieces };
            setNext(answer);
          },
        };
      },
    }),
  };
}

/** `result` with those failures that belong to it, which are taken: they must not be told twice. */
function withFailures(
  result: ExecutionResult,
  failures: Context['failures'],
  belongs: (path: readonly (string | number)[]) => boolean,
): ExecutionResult {
  const own = failures.filter(({ place }) => belongs(place.path ?? []));
  if (own.length === 0) return result;
  failures.splice(0, failures.length, ...failures.filter((failure) => !own.includes(failure)));
  const located = own.map(({ failure, place }) => locateFailure(failure, place));
  return { ...result, errors: [...(result.errors ?? []), ...located] };
}

/** Whether the field at `path` of the answer came with this piece of it: a deferred fragment, or an item of a streamed list. */
function holds({ path: start = [], data, items }: ExecutionResult, path: readonly (string | number)[]): boolean {
  if (!start.every((step, index) => path[index] === step)) return false;
  const rest = path.slice(start.length);
  const found = rest.reduce((inside, step) => inside?.[step], items ? items[0] : data);
  return found !== undefined;
}
