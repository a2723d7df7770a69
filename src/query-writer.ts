import { collectFields, collectSubFields } from '@graphql-tools/utils';
import {
  type ASTNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  isAbstractType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  visit,
} from 'graphql';

/** Tells whether a value is already what an answer shows, for each custom scalar that is compiled. */
export type PlainScalars = Readonly<Record<string, (value: unknown) => boolean>>;

/** Thrown at whatever is not as it was compiled for. It has no stack: it is never shown, and is made often. */
export const odd = Object.freeze({ name: 'Odd' });

/** What the code that is made calls by name. */
export const runtime = {
  fail(): never {
    throw odd;
  },
  /** A value that is there now: of what is still to come, only that of a root field is waited for. */
  now(value: unknown) {
    if (!isToCome(value)) return value;
    // Of what is left behind, nobody else hears how it ends.
    Promise.resolve(value).catch(() => {});
    throw odd;
  },
};

function isToCome(value: unknown): boolean {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}

function hasVariable(node: ASTNode): boolean {
  let found = false;
  visit(node, {
    Variable() {
      found = true;
    },
  });
  return found;
}

/** What code is written from. Of `variables`, which are coerced already, only those count that directives name. */
interface Plan {
  readonly schema: GraphQLSchema;
  readonly fragments: Record<string, FragmentDefinitionNode>;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operation: OperationDefinitionNode;
  readonly scalars: PlainScalars;
}

type Selected = readonly [key: string, nodes: FieldNode[]];

/**
 * Writes one function for each place of the query that holds objects. Of the query, nothing gets into the code but names, as
 * JSON text; everything else is passed in as a value.
 */
export function createQueryWriter({ schema, fragments, variables, operation, scalars }: Plan) {
  const values: unknown[] = [];
  const functions: string[] = [];
  let perRequest = false;

  const value = (it: unknown) => `values[${values.push(it) - 1}]`;
  /** Declares what is used at every row, so that it is looked up once. */
  function constant(it: unknown): string {
    const name = `k${functions.length}`;
    functions.push(`const ${name} = ${value(it)};`);
    return name;
  }
  function declare(parameters: string, body: string): string {
    const name = `f${functions.length}`;
    functions.push(`function ${name}(${parameters}) { ${body} }`);
    return name;
  }

  function fieldOf(parent: GraphQLObjectType, [node]: readonly FieldNode[]): GraphQLField<unknown, unknown> {
    const field = node && parent.getFields()[node.name.value];
    if (!field) throw odd;
    // Who may see it is found out on the ordinary way, and what is below the root waits for no call.
    if (field.extensions.scope === 'webhooks:payloads' || field.extensions.readsLog === true) throw odd;
    perRequest ||= field.extensions.perRequest === true;
    return field;
  }

  /** The expression that calls a field's own resolver. */
  function call(parent: GraphQLObjectType, nodes: readonly FieldNode[], source: string, isRoot: boolean): string {
    const field = fieldOf(parent, nodes);
    const [node] = nodes;
    if (!field.resolve || !node) throw odd;
    // What is fetched by ids comes one by one, and fails one by one.
    const isBatch = isListType(getNullableType(field.type)) && isAbstractType(getNamedType(field.type));
    if (isRoot && isBatch) throw odd;
    const path = { prev: undefined, key: (node.alias ?? node.name).value, typename: parent.name };
    const known = { fieldName: field.name, fieldNodes: nodes, returnType: field.type, parentType: parent };
    const shared = { ...known, schema, fragments, operation, rootValue: undefined };
    const resolve = constant(field.resolve);
    const isFixed = !node.arguments?.some(hasVariable);
    const argsOf = (given: Plan['variables']) => getArgumentValues(field, node, given);
    const args = isFixed ? constant(argsOf({})) : `${value(argsOf)}(variables)`;
    if (isRoot) {
      const infoOf = (given: Plan['variables']): GraphQLResolveInfo => ({ ...shared, path, variableValues: given });
      return `${resolve}(${source}, ${args}, context, ${value(infoOf)}(variables))`;
    }
    // Variables are there at the root only; and the place of what is below a list is another at every row.
    if (!isFixed) throw odd;
    const hidden = { path: { get: runtime.fail }, variableValues: { get: runtime.fail } };
    return `${resolve}(${source}, ${args}, context, ${constant(Object.defineProperties(shared, hidden))})`;
  }

  /** The expression that makes what the answer shows of `source`, a name. */
  function complete(type: GraphQLOutputType, nodes: FieldNode[], source: string): string {
    if (isNonNullType(type)) return completeValue(type.ofType, nodes, source);
    return `(${source} == null ? null : ${completeValue(type, nodes, source)})`;
  }

  function completeValue(type: GraphQLOutputType, nodes: FieldNode[], source: string): string {
    if (isListType(type)) return `${writeList(type.ofType, nodes)}(${source}, context)`;
    if (isLeafType(type)) return writeLeaf(type.name, source);
    if (isObjectType(type)) return `${writeObject(type, nodes)}(${source}, context)`;
    return `${writeAbstract(type, nodes)}(${source}, context)`;
  }

  function writeLeaf(name: string, source: string): string {
    const type = schema.getType(name);
    if (isEnumType(type)) {
      const names = constant(new Map(type.getValues().map((it) => [it.value, it.name])));
      return `(${names}.get(${source}) ?? runtime.fail())`;
    }
    const isPlain = scalars[name];
    if (!isPlain) throw odd;
    return `(${constant(isPlain)}(${source}) ? ${source} : runtime.fail())`;
  }

  function writeList(item: GraphQLOutputType, nodes: FieldNode[]): string {
    // Of its full length at once: one that grows takes more room than a short list needs.
    return declare(
      'list, context',
      `if (!Array.isArray(list)) runtime.fail();
      const all = new Array(list.length);
      for (let i = 0; i < list.length; i++) { const item = list[i]; all[i] = ${complete(item, nodes, 'item')}; }
      return all;`,
    );
  }

  function writeAbstract(type: GraphQLOutputType, nodes: FieldNode[]): string {
    if (!isAbstractType(type)) throw odd;
    const cases = schema
      .getPossibleTypes(type)
      .map((possible) => `case ${JSON.stringify(possible.name)}: return ${writeObject(possible, nodes)}(it, context);`);
    return declare('it, context', `switch (it.__typename) { ${cases.join('\n')} default: return runtime.fail(); }`);
  }

  function writeObject(type: GraphQLObjectType, nodes: FieldNode[]): string {
    // One that could say no to a value is none of ours.
    if (type.isTypeOf) throw odd;
    const { fields, patches } = collectSubFields(schema, fragments, variables, type, nodes);
    if (patches.length > 0) throw odd;
    return declare(
      'it, context',
      writeLiteral(type, [...fields], (own) => readField(type, own)),
    );
  }

  /** The body of a function that returns an object literal: all objects of one place have one shape. */
  function writeLiteral(
    type: GraphQLObjectType,
    fields: readonly Selected[],
    read: (nodes: FieldNode[]) => string,
  ): string {
    const lines: string[] = [];
    const members = fields.map(([key, nodes], index) => {
      if (nodes.some(({ directives }) => directives?.some(({ name }) => name.value === 'stream'))) throw odd;
      // In brackets, a name cannot set the prototype.
      const name = key === '__proto__' ? `["__proto__"]` : JSON.stringify(key);
      if (nodes[0]?.name.value === '__typename') return `${name}: ${JSON.stringify(type.name)}`;
      lines.push(`const v${index} = ${read(nodes)};`);
      return `${name}: ${complete(fieldOf(type, nodes).type, nodes, `v${index}`)}`;
    });
    return `${lines.join('\n')} return { ${members.join(', ')} };`;
  }

  function readField(type: GraphQLObjectType, nodes: FieldNode[]): string {
    const exposed: unknown = fieldOf(type, nodes).extensions.pothosExposedField;
    if (typeof exposed === 'string') return `it[${JSON.stringify(exposed)}]`;
    return `runtime.now(${call(type, nodes, 'it', false)})`;
  }

  return {
    values,
    isPerRequest: () => perRequest,
    /** The body of a function that returns the function of the query. */
    writeRoot(type: GraphQLObjectType): string {
      const { fields, patches } = collectFields(schema, fragments, variables, type, operation.selectionSet);
      if (patches.length > 0) throw odd;
      const resolved = [...fields].filter(([, [node]]) => node?.name.value !== '__typename');
      const calls = resolved.map(([, nodes]) => call(type, nodes, 'undefined', true));
      // What one throws at once is a failure of its own as well: the others must not be left without anybody who waits.
      const all = `await Promise.all([${calls.map((one) => `(async () => ${one})()`).join(', ')}])`;
      const places = new Map(resolved.map(([, nodes], index) => [nodes, `all[${index}]`]));
      const make = declare(
        'all, context',
        writeLiteral(type, [...fields], (nodes) => places.get(nodes) ?? runtime.fail()),
      );
      return `${functions.join('\n')}
      return async (context, variables, use) => use(${make}(${calls.length === 1 ? `[await ${calls[0]}]` : all}, context));`;
    },
  };
}
