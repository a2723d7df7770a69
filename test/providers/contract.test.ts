import { readdirSync } from 'node:fs';
import { isNonNullType, isObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { documentLimits } from '../../src/limits.ts';
import { providers } from '../../src/providers/index.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { schema } from '../../src/schema/index.ts';
import { encodeId } from '../../src/webhook.ts';
import { openContext, openGraph } from '../support/graph.ts';
import { everyField, logTypes, typeNamed } from './every-field.ts';
import { readList, sentence } from './reading.ts';

// What every provider must do, shown at its own sandbox: a new one is covered by being in the list.

test('the folders of src/providers are the keys of the list, each once', () => {
  const entries = readdirSync(new URL('../../src/providers/', import.meta.url), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(providers.map(({ key }) => key).toSorted()).toEqual(folders.toSorted());
});

test.each(['key', 'enumValue', 'name', 'credentialHeader', 'url'] as const)('no two providers share a %s', (member) => {
  const values = providers.map((provider) => provider[member]);
  expect(new Set(values).size).toBe(values.length);
});

/** Documents of machines, which no client would write. */
const roomy = {
  documentLimits: { ...documentLimits, tokens: 20_000, aliases: 1000, cost: Number.POSITIVE_INFINITY },
  deliveryPayloads: true,
};

test('every field of every type can be selected in one operation', async () => {
  await using graph = await openGraph(Object.fromEntries(providers.map(({ key }) => [key, 'sandbox'])), roomy);
  const data = await graph.query(`{ webhooks(first: 1000) ${everyField('WebhookConnection')} }`);
  const typenames = new Set(data.webhooks.nodes.map(({ __typename }: { __typename: string }) => __typename));
  expect(typenames).toEqual(new Set(providers.map(({ type }) => type.name)));
});

const logFields = ['deliveries', 'failureSummary'];

describe.each(providers.map((provider) => [provider.key, provider] as const))('%s', (key, provider) => {
  const clock = () => Date.parse('2026-11-01T12:00:00Z');
  const sandboxOnly = { [key]: 'sandbox' } as const;

  test('has a key, an enum value and a header in the spelling that others rely on', () => {
    expect(key).toMatch(/^[a-z0-9-]+$/);
    expect(provider.enumValue).toMatch(/^[A-Z][A-Z0-9_]*$/);
    expect(provider.credentialHeader).toMatch(/^[a-z0-9-]+$/);
    expect(provider.url).toMatch(/^https:\/\/.*[^/]$/);
    expect(new URL(provider.url).pathname.replace(/^\/$/, '')).toBe(provider.sandbox(clock).path);
  });

  test('lists all rows with the right key', async () => {
    const { rows, report } = await readSandbox(provider);
    expect(report).toMatchObject({ state: 'OK', error: null, rejectedCount: 0, itemCount: rows.length });
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toMatchObject({ __typename: provider.type.name, provider: provider.enumValue });
    for (const row of rows) expect(row.healthReason).toMatch(sentence);
  });

  test('is UNAUTHORIZED with a wrong key, and gives no row', async () => {
    await using graph = await openGraph(sandboxOnly, { passthrough: true });
    const ask = (credential: string) =>
      graph.answer(
        '{ webhooks { totalCount sources { state error { code httpStatus message } } } }',
        {},
        { [provider.credentialHeader]: credential },
      );
    const wrong = `${provider.sandbox(clock).key}x`;
    const { data } = await ask(wrong);
    const error = { code: 'UNAUTHORIZED', httpStatus: 401, message: expect.not.stringContaining(wrong) };
    expect(data.webhooks).toEqual({ totalCount: 0, sources: [{ state: 'FAILED', error }] });
    const right = await ask(provider.sandbox(clock).key);
    expect(right.data.webhooks).toMatchObject({ sources: [{ state: 'OK' }] });
  });

  test('shows every verdict in its sandbox', async () => {
    const { rows } = await readSandbox(provider);
    const verdicts = new Set(rows.map(({ health }) => health));
    expect(verdicts).toEqual(new Set(['FAILING', 'UNKNOWN', 'IDLE', 'DISABLED', 'HEALTHY']));
  });

  test('has every row found again by its id', async () => {
    await using graph = await openGraph(sandboxOnly, roomy);
    const fields = everyField('Webhook', 'WebhookSource', ...logTypes);
    const { webhooks } = await graph.query(`{ webhooks(first: 1000) { nodes ${fields} } }`);
    const ids: readonly string[] = webhooks.nodes.map(({ id }: { id: string }) => id);
    const one = ids.map((id, index) => `webhook${index}: webhook(id: "${id}") ${fields}`);
    const node = ids.map((id, index) => `node${index}: node(id: "${id}") { ... on Webhook ${fields} }`);
    const found = await graph.query(
      `query ($ids: [ID!]!) { ${one.join(' ')} ${node.join(' ')} nodes(ids: $ids) { ... on Webhook ${fields} } }`,
      { ids },
    );
    expect(ids.map((_, index) => found[`webhook${index}`])).toEqual(webhooks.nodes);
    expect(ids.map((_, index) => found[`node${index}`])).toEqual(webhooks.nodes);
    expect(found.nodes).toEqual(webhooks.nodes);
    expect(graph.calls(key).length).toBe(2);
  });

  const malformed = ['', 'x', '-1', '1.5', '01', '1 ', '1\n'].filter((id) => !provider.externalId.test(id));

  test.each(malformed)('takes %j in an id for a mistake of the caller, and makes no call', async (externalId) => {
    await using graph = await openGraph(sandboxOnly);
    const id = encodeId(provider.type.name, key, externalId);
    const document = 'query ($id: ID!) { webhook(id: $id) { id } node(id: $id) { id } nodes(ids: [$id]) { id } }';
    const { data, errors } = await graph.answer(document, { id });
    expect(data).toEqual({ webhook: null, node: null, nodes: [null] });
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['webhook'], 'BAD_USER_INPUT'],
      [['node'], 'BAD_USER_INPUT'],
      [['nodes', 0], 'BAD_USER_INPUT'],
    ]);
    expect(graph.calls(key)).toEqual([]);
  });

  test('reads every field of a row that has the required members only', async () => {
    const type = typeNamed(provider.type.name);
    const fields = isObjectType(type) ? Object.values(type.getFields()) : [];
    const nullable = fields.filter((field) => !isNonNullType(field.type)).map(({ name }) => name);
    // The only one that is made of a required member.
    const optional = nullable.filter((name) => name !== 'host' && !logFields.includes(name));
    const { rows } = await readSandbox(provider);
    const bare = rows.filter((row) => optional.every((name) => row[name] === null));
    expect(bare.length, 'rows of which the sandbox says nothing else').toBeGreaterThan(0);
    for (const row of bare)
      expect(row).toMatchObject({ health: 'UNKNOWN', healthReason: expect.stringMatching(sentence) });
  });

  test('has the fields of a log where it keeps one', () => {
    const type = typeNamed(provider.type.name);
    const names = isObjectType(type) ? Object.keys(type.getFields()) : [];
    const hasLog = provider.operations.deliveries !== undefined;
    expect(logFields.filter((name) => names.includes(name))).toEqual(hasLog ? logFields : []);
  });

  test('shows what it can do as capabilities', async () => {
    await using graph = await openGraph(sandboxOnly);
    const { webhookSources } = await graph.query('{ webhookSources { key name provider capabilities } }');
    const capabilities = Object.keys(provider.operations).map((name) => name.toUpperCase());
    expect(webhookSources).toEqual([{ key, name: provider.name, provider: provider.enumValue, capabilities }]);
    expect(capabilities).toContain('LIST');
  });

  test('has mutations of its own for what only it knows the inputs of, and no others', () => {
    const fields = Object.keys(schema.getMutationType()?.getFields() ?? {});
    for (const action of ['create', 'update'] as const) {
      const canDo = provider.operations[action] !== undefined;
      expect(fields.includes(action + provider.type.name), action).toBe(canDo);
    }
  });

  test('gives frozen rows that name their own type and their source', async () => {
    await using graph = await openGraph(sandboxOnly);
    const credential = provider.sandbox(clock).key;
    const { sources } = openContext(graph.sources, credential, new AbortController().signal);
    const report = await sources.get(key)?.read();
    expect(report?.rows.length).toBeGreaterThan(0);
    for (const row of report?.rows ?? []) {
      expect(Object.isFrozen(row)).toBe(true);
      expect(Object.hasOwn(row, '__typename')).toBe(true);
      expect(row).toMatchObject({ __typename: provider.type.name, source: key });
      expect(row.id).toBe(encodeId(provider.type.name, key, row.externalId));
    }
  });

  test('keeps its verdicts while time moves, and delivers', async () => {
    const [today, tomorrow] = [await readSandbox(provider), await readSandbox(provider, '2026-11-02T12:00:00Z')];
    const verdicts = ({ rows }: typeof today) => rows.map(({ id, health }) => [id, health]);
    const deliveries = ({ rows }: typeof today) => rows.map(({ lastDelivery }) => lastDelivery?.at ?? null);
    expect(verdicts(tomorrow)).toEqual(verdicts(today));
    expect(deliveries(tomorrow)).not.toEqual(deliveries(today));
  });
});

const withLog = providers.filter(({ operations }) => operations.deliveries);

describe.each(withLog.map((provider) => [provider.key, provider] as const))(
  '%s, which keeps a log,',
  (key, provider) => {
    test('shows attempts that succeeded and that failed in the logs of its sandbox, with a call for each', async () => {
      await using graph = await openGraph({ [key]: 'sandbox' }, roomy);
      const name = provider.type.name;
      const { webhooks } = await graph.query(`{ webhooks { nodes { ... on ${name} ${everyField(name)} } } }`);
      // biome-ignore lint/suspicious/noExplicitAny: every field that there is
      const logs = webhooks.nodes.map(({ deliveries }: any) => deliveries);
      for (const { complete, sources } of logs) expect([complete, sources[0].rejectedCount]).toEqual([true, 0]);
      // biome-ignore lint/suspicious/noExplicitAny: as above
      const attempts = logs.flatMap(({ nodes }: any) => nodes);
      expect(new Set(attempts.map(({ succeeded }: { succeeded: boolean }) => succeeded))).toEqual(
        new Set([true, false]),
      );
      expect(new Set(attempts.map(({ id }: { id: string }) => id)).size).toBe(attempts.length);
      expect(graph.calls(key)).toHaveLength(1 + logs.length);
    });
  },
);

/** All rows of a provider's sandbox, with every field. */
async function readSandbox({ key }: Provider, now = '2026-11-01T12:00:00Z') {
  const { rows, report } = await readList(key, 'sandbox', { now });
  return { rows, report };
}
