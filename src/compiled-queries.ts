import { type DocumentNode, type OperationDefinitionNode, visit } from 'graphql';
import { LRUCache } from 'lru-cache';
import { type Compilable, type CompiledQuery, compileQuery } from './compile.ts';
import type { Context } from './context.ts';
import { schema } from './schema/index.ts';
import { plainScalars } from './schema/scalars.ts';

/** Queries that came before, each as one function, whatever its variables are. */
export interface CompiledQueries {
  /** null where a query is left to the ordinary executor, as each is when it comes for the first time. */
  find(query: Compilable): CompiledQuery<Context> | null;
  /** Leaves a query to the ordinary executor from now on: it cannot be run so. */
  giveUp(query: Compilable): void;
}

/** A query that came: `compiled` is not there the first time, and null where it cannot be. */
interface Seen {
  readonly document: DocumentNode;
  readonly compiled?: CompiledQuery<Context> | null;
}

/** Queries that are kept, and the bytes that they and all that was made of them may take. */
const most = { max: 1000, maxSize: 25_165_824 };
/** What is made of a query takes so many bytes for each character of its text, and of its code. */
const bytesPer = { textCharacter: 50, codeCharacter: 4 };

/** None yet. What is kept is bounded; what was used longest ago goes first. */
export function createCompiledQueries(): CompiledQueries {
  const seen = new LRUCache<string, Seen>({
    ...most,
    sizeCalculation: ({ document, compiled }) =>
      1 + (document.loc?.end ?? 0) * bytesPer.textCharacter + (compiled?.length ?? 0) * bytesPer.codeCharacter,
  });
  const operations = new WeakMap<OperationDefinitionNode, { readonly serial: number; readonly conditions: string[] }>();
  let serials = 0;

  /** Names what a query is compiled for: with other conditions, it selects something else. */
  function keyOf({ document, operation, variables }: Compilable): string {
    let known = operations.get(operation);
    if (!known) {
      serials += 1;
      known = { serial: serials, conditions: findConditions(document) };
      operations.set(operation, known);
    }
    return JSON.stringify([known.serial, ...known.conditions.map((name) => variables[name])]);
  }

  return {
    find(query) {
      const { document } = query;
      const key = keyOf(query);
      const known = seen.get(key);
      if (known?.compiled !== undefined) return known.compiled;
      if (!known) {
        seen.set(key, { document });
        return null;
      }
      const compiled = compileQuery<Context>(schema, query, plainScalars);
      // Another object, so that its size is taken anew.
      seen.set(key, { document, compiled });
      return compiled;
    },
    giveUp(query) {
      seen.set(keyOf(query), { document: query.document, compiled: null });
    },
  };
}

/** The variables that decide by directives, `@include` and the like, what is selected. */
export function findConditions(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive(directive) {
      visit(directive, { Variable: ({ name }) => void names.add(name.value) });
    },
  });
  return [...names];
}
