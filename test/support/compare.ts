import { isDeepStrictEqual } from 'node:util';
import { getOperationAST, getVariableValues, parse } from 'graphql';
import { compileQuery } from '../../src/compile.ts';
import { findConditions } from '../../src/compiled-queries.ts';
import type { Context } from '../../src/context.ts';
import { formatLack } from '../../src/errors.ts';
import type { SourceRead } from '../../src/request.ts';
import type { Source } from '../../src/request-source.ts';
import { schema } from '../../src/schema/index.ts';
import { plainScalars } from '../../src/schema/scalars.ts';
import type { Answer } from './graph.ts';

/** Sources that remember what the last read of each came to, and the same sources saying it again without a call. */
export function rememberReads(sources: readonly Source[]): { readonly live: Source[]; readonly again: Source[] } {
  const last = new Map<string, { readonly result: Promise<unknown>; readonly read: SourceRead | undefined }>();
  const live = sources.map((source) => ({
    ...source,
    upstream: {
      ...source.upstream,
      run<T>(...run: Parameters<typeof source.upstream.run<T>>) {
        const result = source.upstream.run<T>(...run);
        // What is compiled reads lists and nothing else.
        if (run[0] === 'list') last.set(source.key, { result, read: run[4] });
        return result;
      },
    },
  }));
  const again = sources.map((source) => ({
    ...source,
    upstream: {
      ...source.upstream,
      run<T>(...[name, , , , read]: Parameters<typeof source.upstream.run<T>>) {
        const before = name === 'list' ? last.get(source.key) : undefined;
        if (read && before?.read) read.called = before.read.called;
        return (before?.result ?? Promise.reject(neverRead)) as Promise<T>;
      },
      write: () => Promise.reject(neverRead),
    },
  }));
  return { live, again };
}

const neverRead = new Error('The ordinary executor did not read this source.');

/**
 * Throws where a compiled query says anything else than the ordinary executor did: other data, or other errors of sources
 * beside it, or data where that had other errors. Tells whether there was something to compare.
 */
export async function compareCompiled(query: string, variables: object, expected: Answer, context: Context) {
  const document = tryParse(query);
  const operation = document && getOperationAST(document);
  // Without data it was not executed; in pieces, it was not compiled.
  if (!document || !operation || expected.data === undefined || 'hasNext' in expected) return false;
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], { ...variables });
  if (!coerced) return false;
  // What it is compiled for may come with any values of all others.
  const conditions = Object.fromEntries(findConditions(document).map((name) => [name, coerced[name]]));
  const compiled = compileQuery<Context>(schema, { document, operation, variables: conditions }, plainScalars);
  if (!compiled) return false;
  const data = await compiled.run(context, coerced, (made) => made).catch(() => null);
  if (data === null) return false;
  const errors = context.failures.map(({ lack, place }) => formatLack(lack, place));
  const compiledAnswer = { data, errors: errors.length > 0 ? errors : undefined };
  const [said, wanted] = [compiledAnswer, expected].map((it) => JSON.parse(JSON.stringify(it, hidePerRequest)));
  if (!isDeepStrictEqual(said, wanted)) {
    throw new Error(`Compiled, this says something else: ${query}\n${JSON.stringify(said)}\n${JSON.stringify(wanted)}`);
  }
  return true;
}

function tryParse(query: string) {
  try {
    return parse(query);
  } catch {
    return null;
  }
}

/** What differs from one execution to the next. */
function hidePerRequest(key: string, value: unknown): unknown {
  return (key === 'fetchedAt' || key === 'durationMs') && value !== null ? 'now' : value;
}
