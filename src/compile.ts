import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLBoolean,
  GraphQLError,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLSchema,
  GraphQLString,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import { createQueryWriter, odd, type PlainScalars, runtime } from './query-writer.ts';

/** A query as one function. */
export interface CompiledQuery<C> {
  /** Whether the answer shows what is new at every request: it selects a field with the extension `perRequest`. */
  readonly isPerRequest: boolean;
  /** Characters of its code, with which all that it holds grows: a fragment is in it at each of its places. */
  readonly length: number;
  /**
   * Makes the `data` of the answer, of plain objects, and returns what `use` makes of it, which should be little (see `exchange`).
   * Rejects wherever an answer would hold an error, and wherever it is not sure: the ordinary executor then decides, on the same
   * context.
   */
  run<R>(context: C, variables: Compilable['variables'], use: (data: object) => R): Promise<R>;
}

/** What a query is compiled from, and run with. `variables` are coerced already. */
export interface Compilable {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

const standardScalars: PlainScalars = {
  [GraphQLString.name]: (value) => typeof value === 'string',
  [GraphQLID.name]: (value) => typeof value === 'string',
  [GraphQLBoolean.name]: (value) => typeof value === 'boolean',
  [GraphQLInt.name]: (value) => typeof value === 'number' && (value | 0) === value,
  [GraphQLFloat.name]: (value) => typeof value === 'number' && Number.isFinite(value),
};

/** Characters of code: to compile more would hold up everybody, as each fragment is written out at each of its places. */
const mostCode = 262_144;

/**
 * Compiles a query; null for what is left to the ordinary executor: other operations, `@defer`, `@stream`, introspection. It may be
 * run with other variables than it is compiled with, but for those that directives name.
 */
export function compileQuery<C>(
  schema: GraphQLSchema,
  { document, operation, variables }: Compilable,
  plainScalars: PlainScalars,
): CompiledQuery<C> | null {
  const root = schema.getQueryType();
  if (operation.operation !== 'query' || !root) return null;
  const fragments = Object.fromEntries(
    document.definitions.flatMap((it) => (it.kind === Kind.FRAGMENT_DEFINITION ? [[it.name.value, it]] : [])),
  ) as Record<string, FragmentDefinitionNode>;
  const writer = createQueryWriter({
    schema,
    fragments,
    variables,
    operation,
    scalars: { ...standardScalars, ...plainScalars },
  });
  try {
    const code = writer.writeRoot(root);
    if (code.length > mostCode) return null;
    const build = new Function('values', 'runtime', code) as (
      values: readonly unknown[],
      helpers: typeof runtime,
    ) => CompiledQuery<C>['run'];
    return { isPerRequest: writer.isPerRequest(), length: code.length, run: build(writer.values, runtime) };
  } catch (error) {
    // It cannot be compiled, nothing may be compiled here (`--disallow-code-generation-from-strings`), or it is no valid query.
    if (error === odd || error instanceof EvalError || error instanceof GraphQLError) return null;
    throw error;
  }
}
