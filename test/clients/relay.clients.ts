import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createOperationDescriptor,
  Environment,
  getFragment,
  getRequest,
  getSingularSelector,
  Network,
  RecordSource,
  Store,
  type Variables,
} from 'relay-runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Consumer, createConsumer } from './support/consumer.ts';
import { startGraph, webhookUrls } from './support/graph.ts';

interface List {
  readonly webhooks: {
    readonly edges: readonly { readonly node: { readonly id: string } }[];
    readonly pageInfo: { readonly endCursor: string; readonly hasNextPage: boolean };
    readonly complete: boolean;
  };
}

interface Card {
  readonly url: string;
  readonly health: string;
}

let consumer: Consumer;

beforeAll(async () => {
  consumer = openProject();
  await consumer.run('node_modules/relay-compiler/cli.js', '--noWatchman');
});

afterAll(() => consumer[Symbol.dispose]());

test('a connection grows page by page', async () => {
  await using graph = await startGraph();
  const relay = createRelay(graph.url);
  const root = await relay.fetch('webhooksQuery', { count: 2 });
  for (const count of [2, 4, 5]) {
    const { webhooks } = await relay.read<List>('webhooks_list', root);
    const cards = await Promise.all(webhooks.edges.map(({ node }) => relay.read<Card>('webhooks_card', node)));
    expect(cards.map(({ url }) => url)).toEqual(webhookUrls.slice(0, count));
    expect(webhooks.pageInfo.hasNextPage).toBe(count < 5);
    await relay.fetch('webhooksPageQuery', { count: 2, cursor: webhooks.pageInfo.endCursor });
  }
});

test('a webhook is fetched again by its id', async () => {
  await using graph = await startGraph();
  const first = createRelay(graph.url);
  const list = await first.read<List>('webhooks_list', await first.fetch('webhooksQuery', { count: 5 }));
  const relay = createRelay(graph.url);
  for (const [index, { node }] of list.webhooks.edges.entries()) {
    const again = await relay.fetch<{ node: object }>('webhooksCardQuery', { id: node.id });
    const { url, health } = await relay.read<Card>('webhooks_card', again.node);
    expect([url, health]).toEqual([webhookUrls[index], 'HEALTHY']);
  }
});

test('a failed source is data', async () => {
  await using graph = await startGraph({ isDiligentDown: true });
  const relay = createRelay(graph.url);
  const { webhooks } = await relay.read<List>('webhooks_list', await relay.fetch('webhooksQuery', { count: 5 }));
  expect([webhooks.edges.length, webhooks.complete]).toEqual([3, false]);
});

test('without the field node the compiler accepts no fragment that is to be fetched again', async () => {
  using project = openProject();
  const path = join(project.folder, 'node_modules/hookgraph/schema.graphql');
  writeFileSync(path, readFileSync(path, 'utf8').replace('  node(', '  thing('));
  const compiled = project.run('node_modules/relay-compiler/cli.js', '--noWatchman');
  await expect(compiled).rejects.toThrow('has a `node(id: ID): Node` field on the query type');
});

function openProject(): Consumer {
  const project = createConsumer();
  cpSync(fileURLToPath(new URL('relay', import.meta.url)), project.folder, { recursive: true });
  return project;
}

/** Relay's own runtime with an empty store, fed with what the compiler made. */
function createRelay(url: string) {
  const network = Network.create(async ({ text }, variables) => {
    const body = JSON.stringify({ query: text, variables });
    return (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json();
  });
  const environment = new Environment({ network, store: new Store(new RecordSource()) });
  return {
    async fetch<T>(query: string, variables: Variables): Promise<T> {
      const operation = createOperationDescriptor(getRequest(await load(query)), variables);
      environment.retain(operation);
      await environment.execute({ operation }).toPromise();
      return environment.lookup(operation.fragment).data as T;
    },
    async read<T>(fragment: string, parent: unknown): Promise<T> {
      return environment.lookup(getSingularSelector(getFragment(await load(fragment)), parent)).data as T;
    },
  };
}

async function load(name: string) {
  return (await import(join(consumer.folder, `src/__generated__/${name}.graphql.ts`))).default;
}
