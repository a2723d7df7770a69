import { ApolloClient, gql, HttpLink, InMemoryCache, type ObservableQuery } from '@apollo/client';
import { Defer20220824Handler } from '@apollo/client/incremental';
import { Client, fetchExchange, type OperationResult } from '@urql/core';
import { expect, test } from 'vitest';
import { startGraph, webhookUrls } from './support/graph.ts';

const query = gql`
  query BySource {
    webhookSources {
      id
      key
      ... @defer(label: "rows") {
        webhooks {
          nodes {
            id
            url
          }
          complete
        }
      }
    }
  }
`;

interface Source {
  readonly key: string;
  readonly webhooks?: { readonly nodes: readonly { readonly url: string }[]; readonly complete: boolean };
}

/** The started program, in front of an API Mall that answers once it is let. */
async function startSlowApimall() {
  const { promise: delay, resolve: letAnswer } = Promise.withResolvers<void>();
  return { letAnswer, ...(await startGraph({ delay })) };
}

/** The URLs that are known of each source; null where they are still to come. */
function urlsOf(sources: readonly Source[] | undefined): Record<string, readonly string[] | null> {
  return Object.fromEntries(
    (sources ?? []).map(({ key, webhooks }) => [key, webhooks?.nodes.map(({ url }) => url) ?? null]),
  );
}

const fastOnly = { apimall: null, diligent: webhookUrls.slice(3) };
const both = { apimall: webhookUrls.slice(0, 3), diligent: webhookUrls.slice(3) };

test('Apollo Client shows the fast source before the slow one has answered', async () => {
  await using graph = await startSlowApimall();
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({ uri: graph.url }),
    incrementalHandler: new Defer20220824Handler(),
  });
  const seen: unknown[] = [];
  const watched: ObservableQuery<{ webhookSources: Source[] }> = client.watchQuery({ query });
  await new Promise<void>((resolve, reject) => {
    watched.subscribe({
      next({ data, error, networkStatus }) {
        if (error) return reject(error);
        const urls = urlsOf(data?.webhookSources as Source[] | undefined);
        seen.push(urls);
        // Nothing but the fast source's rows lets the slow one go on.
        if (urls.diligent && !urls.apimall) graph.letAnswer();
        if (networkStatus === 7) resolve();
      },
    });
  });
  expect(seen).toContainEqual(fastOnly);
  expect(seen.at(-1)).toEqual(both);
});

test('urql shows the fast source before the slow one has answered', async () => {
  await using graph = await startSlowApimall();
  const client = new Client({ url: graph.url, exchanges: [fetchExchange], preferGetMethod: false });
  const seen: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    client.query(query, {}).subscribe(({ data, error, hasNext }: OperationResult) => {
      if (error) return reject(error);
      const urls = urlsOf(data?.webhookSources);
      seen.push(urls);
      if (urls.diligent && !urls.apimall) graph.letAnswer();
      if (!hasNext) resolve();
    });
  });
  expect(seen).toContainEqual(fastOnly);
  expect(seen.at(-1)).toEqual(both);
});
