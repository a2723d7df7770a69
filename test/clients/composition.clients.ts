import { readFileSync } from 'node:fs';
import {
  buildASTSchema,
  type GraphQLSchema,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  lexicographicSortSchema,
  parse,
  printSchema,
  validate,
  visit,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { composers, ownSubgraph } from './support/compose.ts';
import { clash, implementer, incidents, nodes, old, pageInfo, pages, teams } from './support/neighbours.ts';

const own = { sdl: ownSubgraph };
const webhookTypes = ['Webhook', 'ApiMallWebhook', 'DiligentWebhook'];

/** `name: Type` of all fields of a type. */
function fieldsOf(schema: GraphQLSchema, typename: string): readonly string[] {
  const type = schema.getType(typename);
  const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
  return fields.map((field) => `${field.name}: ${field.type}`);
}

function possibleTypes(schema: GraphQLSchema, typename: string): readonly string[] {
  const type = schema.getType(typename);
  const types = isAbstractType(type) ? schema.getPossibleTypes(type) : [];
  return types.map(({ name }) => name).sort();
}

/** What is wrong with a query that a client of the supergraph sends. */
function faultsOf(schema: GraphQLSchema, query: string): readonly string[] {
  return validate(schema, parse(query)).map(({ message }) => message);
}

/** The schema that hookgraph's own clients see, without the fields and directives that a supergraph leaves to others. */
function servedWithoutNode(): GraphQLSchema {
  const served = parse(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  const isNode = (name: string) => name === 'node' || name === 'nodes';
  return buildASTSchema(
    visit(served, {
      [Kind.DIRECTIVE_DEFINITION]: () => null,
      // Apollo's composer does not know it.
      [Kind.DIRECTIVE]: ({ name }) => (name.value === 'oneOf' ? null : undefined),
      [Kind.OBJECT_TYPE_DEFINITION]: (type) => (type.name.value === 'Query' ? undefined : false),
      [Kind.FIELD_DEFINITION]: ({ name }) => (isNode(name.value) ? null : undefined),
    }),
  );
}

function printSorted(schema: GraphQLSchema): string {
  return printSchema(lexicographicSortSchema(schema));
}

describe.each(Object.entries(composers))('with %s', (name, compose) => {
  const isApollo = name.startsWith('@apollo');

  test('is by itself what its own clients see, without node and nodes', () => {
    const composed = compose({ webhooks: own });
    expect(printSorted(composed.api())).toBe(printSorted(servedWithoutNode()));
    // What lists may cost reaches the gateways that count.
    expect(composed.supergraph().match(/@cost\(weight: 10\)\s+@listSize\([^)]*assumedSize: 100\b/g)).toHaveLength(3);
  });

  test('refuses a list that names an argument for its size which it does not have', () => {
    const sdl = ownSubgraph.replace('slicingArguments: ["first"]', 'slicingArguments: ["first", "last"]');
    expect(compose({ webhooks: { sdl } }).codes).toEqual(['LIST_SIZE_INVALID_SLICING_ARGUMENT']);
  });

  test('leaves Query.node to a neighbour, whose Node both implement', () => {
    const api = compose({ webhooks: own, neighbour: { sdl: nodes() } }).api();
    expect(fieldsOf(api, 'Query')).toEqual(
      expect.arrayContaining(['node: Node', 'nodes: [Node]!', 'webhook: Webhook', 'webhooks: WebhookConnection']),
    );
    expect(possibleTypes(api, 'Node')).toEqual(['ApiMallWebhook', 'DiligentWebhook', 'Product', 'WebhookSource']);
  });

  test('could not stand beside it with a node of its own', () => {
    const withNode = `${ownSubgraph}\nextend type Query { node(id: ID!): Node }`;
    expect(compose({ webhooks: { sdl: withNode }, neighbour: { sdl: nodes() } }).codes).toEqual([
      'INVALID_FIELD_SHARING',
    ]);
  });

  test('refuses a Node that asks for more than an id', () => {
    const { codes, messages } = compose({ webhooks: own, neighbour: { sdl: nodes('rank: Int') } });
    expect(codes).toEqual(['INTERFACE_FIELD_NO_IMPLEM']);
    expect(messages.join()).toContain('"Node.rank"');
  });

  test('lets a neighbour extend webhooks of every provider, those to come included', () => {
    const api = compose({ webhooks: own, teams: { sdl: teams } }).api();
    for (const type of webhookTypes) expect(fieldsOf(api, type)).toContain('team: Team');
    expect(fieldsOf(api, 'Team')).toEqual(['id: ID!', 'name: String!', 'webhooks: [Webhook]!']);
    expect(possibleTypes(api, 'Webhook')).toEqual(['ApiMallWebhook', 'DiligentWebhook']);
    const query = `{
      webhooks { complete nodes { url team { name } ... on ApiMallWebhook { totalSent team { id } } } }
      teams { webhooks { url health ... on DiligentWebhook { lastDeliveryStatus team { name } } } }
    }`;
    expect(faultsOf(api, query)).toEqual([]);
    // The neighbour's type is an interface to clients, as it is here.
    expect(isInterfaceType(api.getType('Webhook'))).toBe(true);

    const acme = `type AcmeWebhook implements Node & Webhook @key(fields: "id") {
      ${fieldsOf(api, 'Webhook')
        .filter((field) => !field.startsWith('team'))
        .join('\n')}
    }`;
    const later = compose({ webhooks: { sdl: `${ownSubgraph}\n${acme}` }, teams: { sdl: teams } }).api();
    expect(fieldsOf(later, 'AcmeWebhook')).toContain('team: Team');
  });

  test('lets a neighbour extend the webhooks of one provider, and no others', () => {
    const api = compose({ webhooks: own, incidents: { sdl: incidents } }).api();
    const extended = [...webhookTypes, 'WebhookSource'].filter((type) =>
      fieldsOf(api, type).includes('incident: String'),
    );
    expect(extended).toEqual(['DiligentWebhook']);
    expect(fieldsOf(api, 'DiligentWebhook')).toContain('lastDeliveryStatus: Int');
    expect(faultsOf(api, '{ webhooks { nodes { incident } } }')).toHaveLength(1);
    expect(faultsOf(api, '{ webhooks { nodes { ... on DiligentWebhook { incident } } } }')).toEqual([]);
  });

  test('shares PageInfo with a neighbour that has all of it, and says so', () => {
    const api = compose({ webhooks: own, orders: { sdl: pages(pageInfo) } }).api();
    expect(fieldsOf(api, 'PageInfo').toSorted()).toEqual([
      'endCursor: String',
      'hasNextPage: Boolean!',
      'hasPreviousPage: Boolean!',
      'startCursor: String',
    ]);
    for (const connection of ['OrderConnection', 'WebhookConnection'])
      expect(fieldsOf(api, connection)).toContain('pageInfo: PageInfo!');
  });

  test.each([
    ['does not share it', pageInfo.replace('@shareable ', ''), 'INVALID_FIELD_SHARING', 'PageInfo.hasNextPage'],
    ['lacks a field', pageInfo.replace('startCursor: String', ''), 'SATISFIABILITY_ERROR', 'PageInfo.startCursor'],
    ['has one more', pageInfo.replace('}', 'total: Int }'), 'SATISFIABILITY_ERROR', 'PageInfo.total'],
  ])('refuses the PageInfo of a neighbour that %s', (_name, type, code, field) => {
    const { codes, messages } = compose({ webhooks: own, orders: { sdl: pages(type) } });
    expect(codes).toEqual([code]);
    expect(messages.join()).toContain(field);
  });

  // Composers take subgraphs by their names, and Apollo's says what clashes in other words when ours comes second.
  test.each(['after', 'zebra'])('refuses a Webhook that is something else, in a subgraph called %s', (neighbour) => {
    const { codes, messages } = compose({ webhooks: own, [neighbour]: { sdl: clash } });
    const isSecond = isApollo && neighbour === 'after';
    expect(codes).toEqual([isSecond ? 'INVALID_GRAPHQL' : 'TYPE_KIND_MISMATCH']);
    expect(messages.join()).toMatch(isSecond ? /non-interface type Webhook/ : /"Webhook" has mismatched kind/);
  });

  test('refuses a provider that is added from outside', () => {
    const { codes, messages } = compose({ webhooks: own, acme: { sdl: implementer } });
    expect(codes).toEqual([isApollo ? 'INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE' : 'INTERFACE_FIELD_NO_IMPLEM']);
    expect(messages.join()).toContain('"AcmeWebhook"');
  });

  test('stands beside a neighbour of federation 2.0, which may refer to types and extend them', () => {
    const api = compose({ webhooks: own, contracts: { sdl: old } }).api();
    expect(fieldsOf(api, 'WebhookSource')).toEqual(expect.arrayContaining(['contract: Contract', 'key: String!']));
    expect(faultsOf(api, '{ contracts { webhook { url lastDeliveryStatus } } }')).toEqual([]);
    expect(faultsOf(api, '{ webhookSources { contract { id } webhooks { pageInfo { endCursor } } } }')).toEqual([]);
  });

  test.each(['v2.0', 'v2.2'])('cannot have its interface extended from federation %s', (version) => {
    const { codes, messages } = compose({ webhooks: own, teams: { sdl: teams.replace('v2.3', version) } });
    expect(codes).not.toEqual([]);
    expect(messages.join()).toContain('@interfaceObject');
  });

  test('stands beside all of them at once', () => {
    const api = compose({
      webhooks: own,
      nodes: { sdl: nodes() },
      teams: { sdl: teams },
      incidents: { sdl: incidents },
      orders: { sdl: pages(pageInfo) },
      contracts: { sdl: old },
    }).api();
    expect(fieldsOf(api, 'DiligentWebhook')).toEqual(
      expect.arrayContaining(['team: Team', 'incident: String', 'url: String!', 'lastDeliveryStatus: Int']),
    );
    expect(
      fieldsOf(api, 'Query')
        .map((field) => field.split(':')[0])
        .toSorted(),
    ).toEqual(['contracts', 'node', 'nodes', 'orders', 'teams', 'webhook', 'webhookSources', 'webhooks']);
  });
});
