import {
  ApolloClient,
  CombinedGraphQLErrors,
  gql,
  HttpLink,
  InMemoryCache,
  type TypedDocumentNode,
} from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';
import { expect, test, vi } from 'vitest';
import { WhatFailsDocument } from '../../src/client/operations.js';
import possibleTypes from '../../src/client/possible-types.json' with { type: 'json' };
import { startGraph, webhookUrls } from './support/graph.ts';

interface List {
  readonly webhooks: { readonly nodes: readonly object[] } | null;
}

interface Pages {
  readonly webhooks: {
    readonly edges: readonly { readonly node: { readonly url: string } }[];
    readonly pageInfo: { readonly endCursor: string; readonly hasNextPage: boolean };
    readonly complete: boolean;
  };
}

const fragments: TypedDocumentNode<List> = gql`
  query Fragments {
    webhooks(first: 1) {
      nodes {
        ... on Node {
          id
        }
        ...Where
      }
      complete
    }
  }
  fragment Where on Webhook {
    url
  }
`;

const pages: TypedDocumentNode<Pages> = gql`
  query Pages($after: String, $filter: WebhookFilter, $direction: WebhookOrderDirection) {
    webhooks(first: 2, after: $after, filter: $filter, orderBy: { field: URL, direction: $direction }) {
      edges {
        node {
          id
          url
        }
      }
      pageInfo {
        endCursor
        hasNextPage
      }
      complete
    }
  }
`;

const silent: TypedDocumentNode<List> = gql`
  {
    webhooks {
      nodes {
        id
      }
    }
  }
`;

/** As by default, but for the cache. */
function createClient(uri: string, cache = new InMemoryCache({ possibleTypes })): ApolloClient {
  return new ApolloClient({ cache, link: new HttpLink({ uri }) });
}

test('what is selected through fragments on interfaces comes back whole', async () => {
  await using graph = await startGraph();
  const { data } = await createClient(graph.url).query({ query: fragments });
  expect(data?.webhooks?.nodes).toEqual([
    { __typename: 'ApiMallWebhook', id: expect.any(String), url: webhookUrls[0] },
  ]);
});

test('it vanishes without the possible types of the kit', async () => {
  using warn = vi.spyOn(console, 'warn').mockReturnValue();
  await using graph = await startGraph();
  const { data } = await createClient(graph.url, new InMemoryCache()).query({ query: fragments });
  expect(data?.webhooks?.nodes).toEqual([{ __typename: 'ApiMallWebhook' }]);
  expect(warn).toHaveBeenCalled();
});

test('relayStylePagination joins the pages of a list, and keeps lists of another filter or order apart', async () => {
  await using graph = await startGraph();
  const webhooks = relayStylePagination(['filter', 'orderBy']);
  const cache = new InMemoryCache({ possibleTypes, typePolicies: { Query: { fields: { webhooks } } } });
  const client = createClient(graph.url, cache);
  const variables = { filter: { provider: ['DILIGENT'] }, direction: 'DESC' };
  const { data } = await client.query({ query: pages, variables });
  await walk(client);
  expect(urlsOf(client.readQuery({ query: pages }))).toEqual(webhookUrls);
  expect(urlsOf(client.readQuery({ query: pages, variables }))).toEqual(urlsOf(data));
  expect(urlsOf(data)).toEqual(webhookUrls.slice(3).toReversed());
});

test('without it the first page stays as it was', async () => {
  await using graph = await startGraph();
  const client = createClient(graph.url);
  await walk(client);
  expect(urlsOf(client.readQuery({ query: pages }))).toEqual(webhookUrls.slice(0, 2));
});

test('a failed source is data where the sources are selected', async () => {
  await using graph = await startGraph({ isDiligentDown: true });
  const { data, error } = await createClient(graph.url).query({ query: WhatFailsDocument });
  expect(error).toBeUndefined();
  expect(data?.webhooks).toMatchObject({
    complete: false,
    sources: [{ state: 'OK' }, { source: { name: 'Diligent' }, state: 'FAILED', error: { code: 'UNREACHABLE' } }],
  });
});

test('a failed source rejects the whole result where neither is selected', async () => {
  await using graph = await startGraph({ isDiligentDown: true });
  const error = await createClient(graph.url)
    .query({ query: silent })
    .catch((caught) => caught);
  expect(CombinedGraphQLErrors.is(error) && error.errors).toMatchObject([
    { path: ['webhooks'], extensions: { code: 'SOURCE_FAILED', source: 'diligent' } },
  ]);
});

test('the rows that answered come as well with errorPolicy all', async () => {
  await using graph = await startGraph({ isDiligentDown: true });
  const { data, error } = await createClient(graph.url).query({ query: silent, errorPolicy: 'all' });
  expect(data?.webhooks?.nodes).toHaveLength(3);
  expect(CombinedGraphQLErrors.is(error)).toBe(true);
});

/** Fetches all pages of the whole list, two webhooks each. */
async function walk(client: ApolloClient): Promise<void> {
  let page = await client.query({ query: pages });
  const list = client.watchQuery({ query: pages });
  while (page.data?.webhooks.pageInfo.hasNextPage) {
    page = await list.fetchMore({ variables: { after: page.data.webhooks.pageInfo.endCursor } });
  }
}

function urlsOf(data: Pages | null | undefined): readonly string[] | undefined {
  return data?.webhooks.edges.map(({ node }) => node.url);
}
