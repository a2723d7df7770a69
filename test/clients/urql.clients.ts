import { Client, fetchExchange, gql } from '@urql/core';
import { type CacheExchangeOpts, cacheExchange } from '@urql/exchange-graphcache';
import { expect, test, vi } from 'vitest';
import introspection from '../../src/client/introspection.json' with { type: 'json' };
import { keys } from '../../src/client/keys.js';
import { startGraph } from './support/graph.ts';

/** All types that have no id, but those of a log and of changes, and fragments on both interfaces. */
const everything = gql`
  {
    webhooks(first: 2) {
      edges {
        cursor
        node {
          ... on Node {
            id
          }
          ... on Webhook {
            url
            lastDelivery {
              at
            }
          }
          ... on ApiMallWebhook {
            totalSent
          }
        }
      }
      pageInfo {
        endCursor
      }
      healthCounts {
        health
        count
      }
      complete
      sources {
        state
        source {
          id
          key
        }
        error {
          code
        }
      }
    }
  }
`;

/** The types of a log that have no id. */
const logs = gql`
  {
    webhooks(first: 1, filter: { provider: [DILIGENT] }) {
      nodes {
        id
        ... on DiligentWebhook {
          failureSummary {
            attempts
            statusClasses {
              count
            }
          }
          deliveries(first: 1) {
            edges {
              cursor
              node {
                id
                event
                request {
                  headers {
                    name
                  }
                }
                response {
                  body
                }
              }
            }
            pageInfo {
              endCursor
            }
            complete
          }
        }
      }
    }
  }
`;

/** The types of changes, none of which has an id. What is wrong in each is found before any call. */
const changes = gql`
  mutation {
    createApiMallWebhook(input: { url: "", events: ["made.up"] }) {
      userErrors {
        code
      }
      warnings {
        code
      }
    }
    createDiligentWebhook(input: { url: "" }) {
      userErrors {
        code
      }
    }
    updateDiligentWebhook(input: { id: "" }) {
      userErrors {
        code
      }
    }
    deleteWebhook(input: { id: "" }) {
      userErrors {
        code
      }
    }
    redeliverWebhookDelivery(input: { id: "" }) {
      userErrors {
        code
      }
    }
  }
`;

const silent = gql`
  {
    webhooks {
      nodes {
        id
      }
    }
  }
`;

interface Payload {
  readonly userErrors: readonly { readonly code: string }[];
}

function createClient(url: string, options: CacheExchangeOpts): Client {
  return new Client({ url, exchanges: [cacheExchange(options), fetchExchange] });
}

// In this order: graphcache says the same thing only once in the life of a process.
test('graphcache has nothing to warn of with the keys and the schema of the kit', async () => {
  using warn = vi.spyOn(console, 'warn').mockReturnValue();
  using error = vi.spyOn(console, 'error').mockReturnValue();
  await using graph = await startGraph({ isDiligentDown: true });
  const client = createClient(graph.url, { keys, schema: introspection });
  const first = await client.query(everything, {});
  expect(first.error).toBeUndefined();
  expect(first.data.webhooks.edges[0].node).toMatchObject({ url: expect.any(String), totalSent: 32, lastDelivery: {} });
  const again = await client.query(everything, {}, { requestPolicy: 'cache-only' });
  expect(again.data).toEqual(first.data);
  await using whole = await startGraph();
  const log = await createClient(whole.url, { keys, schema: introspection }).query(logs, {});
  expect(log.data?.webhooks.nodes).toMatchObject([
    { deliveries: { complete: true, edges: [{ node: { response: { body: 'OK' } } }] } },
  ]);
  const changed = await createClient(whole.url, { keys, schema: introspection }).mutation(changes, {});
  expect(Object.values<Payload>(changed.data).map(({ userErrors: [refusal] }) => refusal?.code)).toEqual(
    Array(5).fill('INVALID'),
  );
  expect([...warn.mock.calls, ...error.mock.calls]).toEqual([]);
});

test('it warns of every type without an id when it is not given the keys', async () => {
  using warn = vi.spyOn(console, 'warn').mockReturnValue();
  await using graph = await startGraph({ isDiligentDown: true });
  await createClient(graph.url, { schema: introspection }).query(everything, {});
  await using whole = await startGraph();
  await createClient(whole.url, { schema: introspection }).query(logs, {});
  const warnings = warn.mock.calls.map(([message]) => /`keys` config for `(\w+)`/.exec(message)?.[1]);
  // What a change answers is kept by the ids in it, and it does not ask for others.
  const ofChanges = /Payload$|^WebhookUserError$|^WebhookWarning$/;
  expect(new Set(warnings)).toEqual(new Set(Object.keys(keys).filter((name) => !ofChanges.test(name))));
});

test('a failed source is data where the sources are selected', async () => {
  await using graph = await startGraph({ isDiligentDown: true });
  const { data, error } = await createClient(graph.url, { keys, schema: introspection }).query(everything, {});
  expect(error).toBeUndefined();
  expect(data?.webhooks).toMatchObject({ complete: false, sources: [{ state: 'OK' }, { state: 'FAILED' }] });
});

test('rows and errors both arrive where neither is selected', async () => {
  await using graph = await startGraph({ isDiligentDown: true });
  const { data, error } = await createClient(graph.url, { keys, schema: introspection }).query(silent, {});
  expect(data.webhooks.nodes).toHaveLength(3);
  expect(error?.graphQLErrors).toMatchObject([{ path: ['webhooks'], extensions: { code: 'SOURCE_FAILED' } }]);
});
