import {
  coerceInputValue,
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInputType,
  isLeafType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
  type VariableDefinitionNode,
} from 'graphql';
import { InputError } from './errors.ts';

/** What is the matter with a variable, and where it is declared. */
export interface WrongVariable {
  readonly message: string;
  readonly nodes: readonly VariableDefinitionNode[];
}

/** Thrown where enough is known. It has no stack: it never leaves this file. */
const enough = Object.freeze({ name: 'Enough' });

/** Characters of what is said about one place: names of fields in it are as long as a caller likes. */
const longestReason = 240;

/**
 * Finds what graphql-js finds wrong with the variables of an operation, in words that hold no value: a secret may stand beside
 * what is wrong, or be it. The last of `most` says that there is more.
 */
export function findWrongVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  values: Readonly<Record<string, unknown>>,
  { most, hideSuggestions }: { readonly most: number; readonly hideSuggestions: boolean },
): readonly WrongVariable[] {
  const found: WrongVariable[] = [];
  function add(node: VariableDefinitionNode, what: string): void {
    const isLast = found.length === most - 1;
    const message = isLast ? 'Too much is wrong with the variables: the rest is left out.' : what;
    found.push({ message, nodes: [node] });
    if (isLast) throw enough;
  }
  function check(node: VariableDefinitionNode): void {
    const { name } = node.variable;
    const type = typeFromAST(schema, node.type);
    // Validation refuses what is none.
    if (!isInputType(type)) return;
    const called = `Variable "$${name.value}"`;
    if (!Object.hasOwn(values, name.value)) {
      if (!node.defaultValue && isNonNullType(type))
        add(node, `${called} of required type "${type}" was not provided.`);
      return;
    }
    const tell = (path: readonly (string | number)[], value: unknown, error: GraphQLError) => {
      const place = path.length > 0 ? ` at "${name.value}${path.map(printStep).join('')}"` : '';
      add(node, `${called} is wrong${place}: ${explain(typeAt(type, path), value, error)}`);
    };
    coerceInputValue(values[name.value], type, tell, hideSuggestions);
  }
  try {
    variableDefinitions.forEach(check);
  } catch (error) {
    if (error !== enough) throw error;
  }
  return found;
}

function printStep(step: string | number): string {
  return typeof step === 'number' ? `[${step}]` : `.${step}`;
}

function typeAt(type: GraphQLInputType, path: readonly (string | number)[]): GraphQLInputType {
  return path.reduce<GraphQLInputType>((outer, step) => {
    const named = getNamedType(outer);
    return (isInputObjectType(named) && named.getFields()[step]?.type) || outer;
  }, type);
}

function explain(expected: GraphQLInputType, value: unknown, error: GraphQLError): string {
  const type = getNamedType(expected);
  // Of objects, graphql-js names types and fields only.
  if (value === null || !isLeafType(type)) return shorten(error.message);
  // What our own scalars say holds no value either.
  if (error.originalError instanceof InputError) return `Expected type "${type.name}". ${error.originalError.message}`;
  if (!isEnumType(type)) return `Expected type "${type.name}".`;
  // The start of its message holds the value, and only what stands in the schema follows.
  const [suggestions = ''] = / Did you mean the enum value [\w", ]+\?$/.exec(error.message) ?? [];
  return `Expected a value of the enum "${type.name}".${suggestions}`;
}

function shorten(text: string): string {
  return text.length > longestReason ? `${text.slice(0, longestReason)}…` : text;
}
