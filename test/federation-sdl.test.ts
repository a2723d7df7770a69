import { readFileSync } from 'node:fs';
import { type DefinitionNode, extendSchema, isUnionType, Kind, parse, print } from 'graphql';
import { expect, test } from 'vitest';
import { providers } from '../src/providers/index.ts';
import { schema } from '../src/schema/index.ts';
import { printSubgraph } from '../src/schema/sdl.ts';
import { encodeId } from '../src/webhook.ts';
import { openGraph } from './support/graph.ts';

const file = readFileSync(new URL('../src/schema/subgraph.graphql', import.meta.url), 'utf8');

/** The types and interfaces of a subgraph that gateways fetch again, each with its directives as they stand. */
function entitiesOf(sdl: string): string[] {
  return definitions(sdl).flatMap((node) => {
    const isEntity = 'interfaces' in node && node.interfaces?.some((it) => it.name.value === 'Node');
    return isEntity && 'name' in node ? [[node.name?.value, ...(node.directives ?? []).map(print)].join(' ')] : [];
  });
}

function definitions(sdl: string): readonly DefinitionNode[] {
  return parse(sdl).definitions;
}

/** The names of the fields of a type. */
function fieldsOf(sdl: string, typename: string): string[] {
  return definitions(sdl).flatMap((node) =>
    node.kind === Kind.OBJECT_TYPE_DEFINITION && node.name.value === typename
      ? (node.fields ?? []).map(({ name }) => name.value)
      : [],
  );
}

test('says over GraphQL what the file of the subgraph says', async () => {
  await using graph = await openGraph();
  const { _service } = await graph.query('{ _service { sdl } }');
  expect(_service.sdl).toBe(file);
});

test('hides it where introspection is off, and still answers gateways', async () => {
  await using graph = await openGraph(undefined, { introspection: false });
  const { data, errors } = await graph.answer('{ _service { sdl } }');
  expect(data).toBeUndefined();
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  const representation = `{ __typename: "WebhookSource", id: "${encodeId('WebhookSource', 'apimall')}" }`;
  const { _entities } = await graph.query(`{ _entities(representations: [${representation}]) { __typename } }`);
  expect(_entities).toEqual([{ __typename: 'WebhookSource' }]);
});

test('leaves out node, nodes and what federation adds itself, and nothing else of the served schema', () => {
  const served = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8');
  expect(fieldsOf(served, 'Query')).toEqual(['node', 'nodes', 'webhook', 'webhookSources', 'webhooks']);
  expect(fieldsOf(file, 'Query')).toEqual(['webhook', 'webhookSources', 'webhooks']);
  // Directives are for a gateway to say: what it takes of its clients, it does not pass on.
  const types = (sdl: string) => definitions(sdl).filter(({ kind }) => kind !== Kind.DIRECTIVE_DEFINITION);
  const names = (sdl: string) => types(sdl).flatMap((node) => ('name' in node ? [node.name?.value] : []));
  expect(names(file).sort()).toEqual(names(served).sort());
  expect(file).not.toMatch(/\b_(Any|Entity|Service|entities|service)\b/);
});

test('gives a key to every type that can be fetched by its id, and shares what every subgraph with pages has', () => {
  const types = [...providers.map(({ type }) => type.name).sort(), 'Webhook', 'WebhookSource'];
  expect(entitiesOf(file).sort()).toEqual(types.map((name) => `${name} @key(fields: "id")`));
  expect(file.match(/@key\(/g)).toHaveLength(types.length);
  expect(file.match(/^type \w+ @shareable/gm)).toEqual(['type PageInfo @shareable']);
  const union = schema.getType('_Entity');
  const members = isUnionType(union) ? union.getTypes().map(({ name }) => name) : [];
  expect(members.sort()).toEqual(types.filter((name) => name !== 'Webhook'));
});

test('gives one to the type of one more provider, too', () => {
  const sdl = `type MadeUpWebhook implements Node & Webhook { ${webhookFields()} } type MadeUpNote { id: ID! }`;
  const extended = extendSchema(schema, parse(sdl));
  const added = entitiesOf(printSubgraph(extended)).filter((it) => !entitiesOf(file).includes(it));
  expect(added).toEqual(['MadeUpWebhook @key(fields: "id")']);
});

test('leaves out of inputs what a composer does not know, which our own clients are told', () => {
  const served = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8');
  expect(served).toContain('input DiligentWebhookSecretInput @oneOf {');
  expect(file).toContain('input DiligentWebhookSecretInput {');
});

test('says how much a list may hold, for gateways that count', () => {
  const withLog = providers.filter(({ operations }) => operations.deliveries);
  const logs = withLog.map(({ type }) => `${type.name}.deliveries`).sort();
  expect(logs).toContain('DiligentWebhook.deliveries');
  const lists = definitions(file).flatMap((node) =>
    node.kind === Kind.OBJECT_TYPE_DEFINITION
      ? (node.fields ?? [])
          .filter(({ directives = [] }) => directives.length > 0)
          .map((field) => [node.name.value, field] as const)
      : [],
  );
  expect(lists.map(([name, field]) => [`${name}.${field.name.value}`, ...(field.directives ?? []).map(print)])).toEqual(
    [
      ...logs.map((name) => [name, '["first"]']),
      ['Query.webhooks', '["first", "last"]'],
      ['WebhookSource.webhooks', '["first", "last"]'],
    ].map(([name, sizes]) => [
      name,
      '@cost(weight: 10)',
      `@listSize(assumedSize: 100, slicingArguments: ${sizes}, sizedFields: ["edges", "nodes"], requireOneSlicingArgument: false)`,
    ]),
  );
});

/** The fields of the interface, as a type must repeat them. */
function webhookFields(): string {
  const node = definitions(file).find(
    (it) => it.kind === Kind.INTERFACE_TYPE_DEFINITION && it.name.value === 'Webhook',
  );
  return node && 'fields' in node ? (node.fields ?? []).map((it) => print(it)).join('\n') : '';
}
