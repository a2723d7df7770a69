import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  type DocumentNode,
  GraphQLError,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
  visit,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from './context.ts';
import { costLimitError, validationError, variableError } from './errors.ts';
import { schema } from './schema/index.ts';
import { findWrongVariables } from './variables.ts';

/** What one document may hold at most. */
export interface DocumentLimits {
  readonly tokens: number;
  readonly aliases: number;
  readonly directives: number;
  readonly depth: number;
  /** Fields, each times the rows of the lists that it is in. Rows and lists count as several. */
  readonly cost: number;
}

/** Room for a page of a thousand webhooks with every field that needs no log, and for GraphiQL's own query of the schema. */
export const documentLimits: DocumentLimits = {
  tokens: 2000,
  aliases: 90,
  directives: 50,
  depth: 12,
  cost: 150_000,
};

/**
 * Aliases in a document that asks for the schema, whose lists nothing weighs: with more, a short one has an answer of many megabytes.
 * No tool that reads a schema has any.
 */
const mostBesideSchema = 10;

/** Validation stops after so many errors, the note that it did included. */
const mostErrors = 5;

/** Refuses documents that are too large before they are validated, and operations that cost too much before they run. */
export function useDocumentLimits(limits: DocumentLimits, hideSuggestions: boolean): Plugin<Context> {
  const tooMany = createCounter(limits);
  return {
    onParse({ setParseFn }) {
      setParseFn((source, options) => {
        try {
          return parse(source, { ...options, maxTokens: limits.tokens });
        } catch (error) {
          // The tokens are few enough, but the parser calls itself for each that opens.
          if (error instanceof RangeError) throw costLimitError('The document is nested too deeply.');
          throw error;
        }
      });
    },
    onValidate({ params, setResult, setValidationFn }) {
      const error = tooMany(params.documentAST);
      if (error) return setResult([error]);
      setValidationFn((validated, document, rules) =>
        validate(validated, document, rules, { maxErrors: mostErrors - 1, hideSuggestions }).map(explain),
      );
    },
    onExecute({ args, setResultAndStopExecution }) {
      const { document, operationName, variableValues } = args;
      const operation = getOperationAST(document, operationName);
      if (!operation) return;
      const lost = operation.variableDefinitions?.find(({ variable }) => variable.name.value === '__proto__');
      if (lost) {
        // graphql-js would lose its value, and what is asked would not be what is counted or answered.
        const message = 'A variable cannot be named "$__proto__".';
        return setResultAndStopExecution({ errors: [variableError({ message, nodes: [lost] })] });
      }
      // Before the executor would: it makes up to 50 errors of them, with values, and with suggestions that nothing hides.
      const wrong = findWrongVariables(schema, operation, variableValues ?? {}, { most: mostErrors, hideSuggestions });
      if (wrong.length > 0) return setResultAndStopExecution({ errors: wrong.map(variableError) });
      const cost = costOf(limits, document, operation, variableValues ?? {});
      if (cost instanceof GraphQLError) return setResultAndStopExecution({ errors: [cost] });
      args.contextValue.turn.cost = cost;
    },
  };
}

/** graphql-js compares fields that share a name, up to a limit of its own, of which it does not say what it is. */
function explain(error: GraphQLError): GraphQLError {
  if (error.message !== 'Validation aborted.') return validationError(error);
  return costLimitError('Too many fields of the same name must be compared. Ask for each field once.');
}

/** Counts what needs no schema, once for each document. */
function createCounter({ aliases, directives }: DocumentLimits): (document: DocumentNode) => GraphQLError | null {
  const known = new WeakMap<DocumentNode, GraphQLError | null>();
  function count(document: DocumentNode): GraphQLError | null {
    const counted = { aliases: 0, directives: 0 };
    let most = aliases;
    visit(document, {
      Field: ({ alias, name }) => {
        if (alias) counted.aliases += 1;
        if (name.value === '__schema' || name.value === '__type') most = Math.min(most, mostBesideSchema);
      },
      Directive: () => {
        counted.directives += 1;
      },
    });
    if (counted.aliases > most) {
      const where = most < aliases ? ' beside `__schema` or `__type`' : '';
      return costLimitError(`${counted.aliases} aliases${where} are too many: at most ${most}.`);
    }
    if (counted.directives <= directives) return null;
    return costLimitError(`${counted.directives} directives are too many: at most ${directives}.`);
  }
  return (document) => {
    const error = known.get(document) ?? count(document);
    known.set(document, error);
    return error;
  };
}

function costOf(
  limits: DocumentLimits,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown>,
): number | GraphQLError {
  const definitions = document.definitions.filter((it) => it === operation || it.kind === Kind.FRAGMENT_DEFINITION);
  try {
    const { complexity, depth } = complexityFromQuery({ kind: Kind.DOCUMENT, definitions }, { schema, variables });
    if (depth > limits.depth) return costLimitError(`A depth of ${depth} is too much: at most ${limits.depth}.`);
    if (complexity <= limits.cost) return complexity;
    return costLimitError(
      `A cost of ${complexity} is too much: at most ${limits.cost}. Ask for smaller pages or fewer fields.`,
    );
  } catch (error) {
    // Arguments that are wrong would null their own field, and let the rest run unweighed.
    if (error instanceof GraphQLError) return variableError(error);
    throw error;
  }
}
