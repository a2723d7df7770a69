import type { ExecutionResult } from '@graphql-tools/utils';
import type { GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Context } from './context.ts';
import { locateLack } from './errors.ts';

type Failure = Context['failures'][number];
type Path = readonly (string | number)[];

/**
 * Adds the failures that resolvers left on the context to the errors of the answer, in its pieces to each that holds the
 * field. `mask` is what Yoga does to the errors of an answer; those of pieces it does not look at.
 */
export function useSourceFailures(mask: (error: unknown) => GraphQLError): Plugin<Context> {
  return {
    onExecute: ({ args: { contextValue } }) => ({
      onExecuteDone({ result, setResult }) {
        const { failures } = contextValue;
        // Taken, so that an operation that runs again on the same context does not leave them twice.
        if (!isAsyncIterable(result)) return void setResult(withFailures(result, failures.splice(0)));
        const withOwn = (piece: ExecutionResult) =>
          withFailures(
            piece,
            failures.filter(({ place }) => holds(piece, place.path)),
          );
        return {
          onNext({ result: next, setResult: setNext }) {
            const { incremental, ...rest } = next as ExecutionResult;
            if (!incremental) return setNext(withOwn(rest));
            const pieces = incremental.map((piece) => {
              const whole = withOwn(piece);
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

/** A field that several pieces hold is resolved for each of them, and leaves its failures each time: they are told once. */
function withFailures(result: ExecutionResult, failures: readonly Failure[]): ExecutionResult {
  if (failures.length === 0) return result;
  const once = new Map(failures.map((it) => [JSON.stringify([it.lack.source, it.place.path]), it]));
  const located = [...once.values()].map(({ lack, place }) => locateLack(lack, place));
  return { ...result, errors: [...(result.errors ?? []), ...located] };
}

/** Whether the field at `path` of the answer came with this piece of it: a deferred fragment, or an item of a streamed list. */
function holds({ path: start = [], data, items }: ExecutionResult, path: Path): boolean {
  if (!start.every((step, index) => path[index] === step)) return false;
  const rest = path.slice(start.length);
  const found = rest.reduce((inside, step) => inside?.[step], items ? items[0] : data);
  return found !== undefined;
}
