import { describe, expect, test } from 'vitest';
import { gateways } from './support/gateways.ts';
import { largest, measure, readLimits } from './support/measure.ts';
import { type Seen, withSupergraph } from './support/supergraph.ts';
import { holding, idOf, upTo, urlOf } from './support/webhooks.ts';

const both = (index: number) => [idOf.apimall(index), idOf.diligent(index)];
const twoTeams = [
  { id: 'a', name: 'Orders', webhookIds: both(1) },
  { id: 'b', name: 'Ledger', webhookIds: [idOf.diligent(2)] },
];
const wholeRow = `id url host externalId provider events enabled status health healthReason secretConfigured createdAt
  updatedAt lastDelivery { at succeeded httpStatus error } source { id key name provider capabilities }
  ... on ApiMallWebhook { apiKeyId totalSent totalFailed successRate lastSentAt lastError }
  ... on DiligentWebhook { isActive hasSecret lastDeliveryAt lastDeliveryStatus } team { id name }`;

function dataOf({ data, errors }: Seen): Seen['data'] {
  if (errors) throw new Error(`Unexpected errors: ${JSON.stringify(errors)}`);
  return data;
}

describe.each(Object.entries(gateways))('through %s', (name, { start, keepsErrors, repeatsEntities }) => {
  const supergraph = withSupergraph(start);

  test('goes from webhooks to what a neighbour knows of them', async () => {
    await using served = await supergraph.serve(holding(2), { teams: twoTeams });
    const query = `{ webhooks { complete totalCount nodes {
      url team { name } ... on ApiMallWebhook { totalSent team { id } } ... on DiligentWebhook { hasSecret }
    } } }`;
    expect(dataOf(await supergraph.ask(query)).webhooks).toEqual({
      complete: true,
      totalCount: 4,
      nodes: [
        { url: urlOf('apimall', 1), totalSent: 32, team: { name: 'Orders', id: 'a' } },
        { url: urlOf('apimall', 2), totalSent: 32, team: null },
        { url: urlOf('diligent', 1), hasSecret: true, team: { name: 'Orders' } },
        { url: urlOf('diligent', 2), hasSecret: true, team: { name: 'Ledger' } },
      ],
    });
    expect(served.requests).toHaveLength(1);
    expect(served.calls()).toEqual({ apimall: 1, diligent: 1 });
  });

  test("goes from a neighbour's teams to webhooks of both providers", async () => {
    await using served = await supergraph.serve(holding(2), { teams: twoTeams });
    const query = `{ teams { name webhooks {
      __typename id url ... on DiligentWebhook { lastDeliveryStatus } ... on ApiMallWebhook { totalSent }
    } } }`;
    const webhook = (source: 'apimall' | 'diligent', index: number, own: object) => ({
      __typename: source === 'apimall' ? 'ApiMallWebhook' : 'DiligentWebhook',
      id: idOf[source](index),
      url: urlOf(source, index),
      ...own,
    });
    expect(dataOf(await supergraph.ask(query)).teams).toEqual([
      {
        name: 'Orders',
        webhooks: [webhook('apimall', 1, { totalSent: 32 }), webhook('diligent', 1, { lastDeliveryStatus: 200 })],
      },
      { name: 'Ledger', webhooks: [webhook('diligent', 2, { lastDeliveryStatus: 200 })] },
    ]);
    // By the interface: the neighbour does not know the types.
    expect(served.requests.map(({ variables }) => variables?.representations)).toEqual([
      [...both(1), idOf.diligent(2)].map((id) => ({ __typename: 'Webhook', id })),
    ]);
    expect(served.calls()).toEqual({ apimall: 1, diligent: 1 });
  });

  test('fetches fifty entities of both providers by one list call per source', async () => {
    const webhookIds = upTo(25).flatMap(both);
    await using served = await supergraph.serve(holding(25), {
      teams: [{ id: 'a', name: 'Orders', webhookIds }],
    });
    const { teams } = dataOf(await supergraph.ask('{ teams { webhooks { id url } } }'));
    expect(teams[0].webhooks).toEqual(
      upTo(25).flatMap((index) => [
        { id: idOf.apimall(index), url: urlOf('apimall', index) },
        { id: idOf.diligent(index), url: urlOf('diligent', index) },
      ]),
    );
    expect(served.requests.map(({ variables }) => variables?.representations)).toEqual([
      upTo(25)
        .flatMap(both)
        .map((id) => ({ __typename: 'Webhook', id })),
    ]);
    expect(served.calls()).toEqual({ apimall: 1, diligent: 1 });
  });

  test('makes at most one list call per source for each operation that the gateway sends', async () => {
    await using served = await supergraph.serve(holding(2), { teams: twoTeams });
    const query = `{
      teams { webhooks { url team { webhooks { health source { webhooks(first: 2) { nodes { team { name } } } } } } } }
      webhooks(first: 2) { nodes { team { webhooks { status } } } }
      one: webhook(id: "${idOf.diligent(2)}") { team { name } }
      webhookSources { key webhooks { totalCount } }
    }`;
    const { teams, one } = dataOf(await supergraph.ask(query));
    expect(teams[0].webhooks[0].team.webhooks[1].source.webhooks.nodes).toEqual([
      { team: { name: 'Orders' } },
      { team: { name: 'Ledger' } },
    ]);
    expect(one).toEqual({ team: { name: 'Ledger' } });
    // The webhooks of the query, those of its teams, and the webhooks of the teams of both.
    expect(served.requests.length).toBeGreaterThanOrEqual(3);
    for (const calls of Object.values(served.calls())) expect(calls).toBeLessThanOrEqual(served.requests.length);
  });

  test('answers null for a webhook that a neighbour knows and its provider does not any more', async () => {
    await using _served = await supergraph.serve(holding(1), { teams: twoTeams });
    const { data, errors = [] } = await supergraph.ask('{ teams { webhooks { url } } }');
    expect(data.teams).toEqual([
      { webhooks: [{ url: urlOf('apimall', 1) }, { url: urlOf('diligent', 1) }] },
      { webhooks: [null] },
    ]);
    // Hive has an error of its own where the entity of an interface is null.
    expect(errors.map(({ message }) => message)).toEqual(
      keepsErrors ? [] : ['Abstract type "Webhook" was resolved to a non-object type "Webhook".'],
    );
  });

  test('sends documents that are far from the limits', async () => {
    const limits = readLimits();
    await using served = await supergraph.serve(holding(25), {
      teams: [{ id: 'a', name: 'Orders', webhookIds: upTo(25).flatMap(both) }],
    });
    const fields = ['url', 'host', 'externalId', 'provider', 'events', 'enabled', 'status', 'health', 'healthReason'];
    const queries = {
      everything: `{ webhooks { complete totalCount healthCounts { health count } pageInfo { hasNextPage endCursor }
        sources { state error { code } } nodes { ${wholeRow} } } webhookSources { webhooks { nodes { ${wholeRow} } } } }`,
      'everything of entities': `{ teams { webhooks { ${wholeRow} } } }`,
      'forty aliases': `{ ${upTo(40).map((index) => `a${index}: webhook(id: "${idOf.diligent((index % 25) + 1)}") { url team { name } }`)} }`,
      'a list for each field': `{ ${fields.map((field) => `${field}: teams { webhooks { ${field} } }`)} }`,
    };
    for (const [what, query] of Object.entries(queries)) {
      const before = served.requests.length;
      dataOf(await supergraph.ask(query));
      const sent = served.requests.slice(before).map((request) => measure(request.query));
      const { tokens, aliases, depth } = largest(sent);
      process.stdout.write(
        `${name}, ${what}: ${sent.length} documents, at most ${tokens} tokens, ${aliases} aliases, depth ${depth}\n`,
      );
      expect(tokens).toBeLessThanOrEqual(limits.tokens / 2);
      expect(aliases).toBeLessThanOrEqual(limits.aliases / 2);
      expect(depth).toBeLessThanOrEqual(limits.depth / 2);
    }
  });

  test('shows the refusal of a document that is beyond them', async () => {
    const { aliases } = readLimits();
    await using served = await supergraph.serve(holding(1), { teams: twoTeams });
    const query = `{ ${upTo(aliases + 1).map((index) => `a${index}: webhook(id: "${idOf.apimall(1)}") { url }`)} }`;
    const { data, errors } = await supergraph.ask(query);
    expect(Object.values(data)).toEqual(Array(aliases + 1).fill(null));
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'COST_LIMIT_EXCEEDED' } });
    expect(served.calls()).toEqual({ apimall: 0, diligent: 0 });
  });

  test('shows the refusal of more than a thousand entities at once', async () => {
    const webhookIds = upTo(1001).map(idOf.apimall);
    await using served = await supergraph.serve(holding(1), { teams: [{ id: 'a', name: 'Orders', webhookIds }] });
    const { data, errors = [] } = await supergraph.ask('{ teams { name webhooks { url } } }');
    expect(data).toEqual({ teams: [{ name: 'Orders', webhooks: Array(1001).fill(null) }] });
    expect(errors.map(({ extensions }) => extensions?.code)).toEqual(keepsErrors ? ['BAD_USER_INPUT'] : []);
    expect(served.requests).toHaveLength(1);
    expect(served.calls()).toEqual({ apimall: 0, diligent: 0 });
  });

  test(`asks for an entity ${repeatsEntities ? 'as often as it is met' : 'once'}, which counts for that limit`, async () => {
    const webhookIds = upTo(5).map(idOf.apimall);
    await using served = await supergraph.serve(holding(5), { teams: [{ id: 'a', name: 'Orders', webhookIds }] });
    const { teams } = dataOf(await supergraph.ask('{ teams { webhooks { url team { webhooks { health } } } } }'));
    expect(teams[0].webhooks[4].team.webhooks).toEqual(Array(5).fill({ health: 'HEALTHY' }));
    const ids = webhookIds.map((id) => ({ __typename: 'Webhook', id }));
    expect(served.requests.map(({ variables }) => variables?.representations)).toEqual([
      ids,
      repeatsEntities ? Array(5).fill(ids).flat() : ids,
    ]);
  });
});
