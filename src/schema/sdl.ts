import {
  buildASTSchema,
  type ConstDirectiveNode,
  type DefinitionNode,
  type FieldDefinitionNode,
  type GraphQLSchema,
  Kind,
  lexicographicSortSchema,
  parse,
  print,
  printSchema,
  type ScalarTypeDefinitionNode,
} from 'graphql';
import { largestPage } from '../page.ts';

/** 2.9 is the first with `@cost` and `@listSize`, and not every composer takes a later one. */
const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@cost", "@key", "@listSize", "@shareable"])';
const entity = directives('@key(fields: "id")');
const shareable = directives('@shareable');
const sizes = ['first', 'last'];

/** The schema as clients see it, without what only gateways ask for. Sorted, so that a diff shows what changed. */
export function printServed(schema: GraphQLSchema): string {
  return `${printSchema(buildASTSchema({ kind: Kind.DOCUMENT, definitions: definitionsOf(schema) }))}\n`;
}

/**
 * The schema as a subgraph of Apollo Federation 2: what can be fetched by its id is an entity. `node` and `nodes` are left
 * out, because no supergraph composes in which two subgraphs have them.
 */
export function printSubgraph(schema: GraphQLSchema): string {
  // Gateways defer by themselves, and composers refuse a directive that not all subgraphs have.
  const definitions = definitionsOf(schema, 'node', 'nodes')
    .filter(({ kind }) => kind !== Kind.DIRECTIVE_DEFINITION)
    .map(withDirectives);
  return `${[link, ...definitions.map(print)].join('\n\n')}\n`;
}

/** All definitions but those that federation asks of every subgraph, `Query` without the fields that are to be hidden. */
function definitionsOf(schema: GraphQLSchema, ...hidden: readonly string[]): DefinitionNode[] {
  const isKept = (node: DefinitionNode | FieldDefinitionNode) => {
    const name = 'name' in node ? (node.name?.value ?? '') : '';
    return !name.startsWith('_') && !hidden.includes(name);
  };
  const { definitions } = parse(printSchema(lexicographicSortSchema(schema)));
  return definitions.filter(isKept).map((definition) => {
    const isQuery = definition.kind === Kind.OBJECT_TYPE_DEFINITION && definition.name.value === 'Query';
    return isQuery ? { ...definition, fields: definition.fields?.filter(isKept) ?? [] } : definition;
  });
}

function withDirectives(definition: DefinitionNode): DefinitionNode {
  const { kind } = definition;
  // Apollo's composer does not know `@oneOf`. That more than one was passed, we say when it gets to us.
  if (kind === Kind.INPUT_OBJECT_TYPE_DEFINITION) return { ...definition, directives: [] };
  if (kind !== Kind.OBJECT_TYPE_DEFINITION && kind !== Kind.INTERFACE_TYPE_DEFINITION) return definition;
  const isEntity = definition.interfaces?.some(({ name }) => name.value === 'Node');
  const isShared = definition.name.value === 'PageInfo';
  return {
    ...definition,
    directives: [...(isEntity ? entity : []), ...(isShared ? shareable : [])],
    fields: definition.fields?.map(withCost) ?? [],
  };
}

function withCost(field: FieldDefinitionNode): FieldDefinitionNode {
  // Composers refuse arguments that the field does not have.
  const own = sizes.filter((size) => field.arguments?.some(({ name }) => name.value === size));
  return own.length > 0 ? { ...field, directives: pages(own) } : field;
}

function pages(sizeArguments: readonly string[]): readonly ConstDirectiveNode[] {
  return directives(`
    @cost(weight: 10)
    @listSize(
      assumedSize: ${largestPage(null)}
      slicingArguments: ${JSON.stringify(sizeArguments)}
      sizedFields: ["edges", "nodes"]
      requireOneSlicingArgument: false
    )
  `);
}

function directives(text: string): readonly ConstDirectiveNode[] {
  const [carrier] = parse(`scalar Carrier ${text}`).definitions as ScalarTypeDefinitionNode[];
  return carrier?.directives ?? [];
}
