import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { print } from 'graphql';
import { expect, onTestFinished, test } from 'vitest';
import { startProgram } from '../support/program.ts';

const sha256 = (document: string) => hash('sha256', document);
const keys = gql`
  query Keys {
    webhookSources {
      id
      key
    }
  }
`;

/** Passes requests on to the program, and keeps what they said. */
async function startListener(target: string) {
  const heard: { readonly query?: string }[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    heard.push(JSON.parse(body));
    const { method, headers } = request;
    const passed = forward(target, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    passed.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    heard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function openClient(uri: string, generateHash: (document: string) => string = sha256): ApolloClient {
  const persisted = new PersistedQueryLink({ generateHash: (document) => generateHash(print(document)) });
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([persisted, new HttpLink({ uri })]),
    defaultOptions: { query: { fetchPolicy: 'no-cache' } },
  });
}

test('Apollo Client sends a document once, and after that its hash only', async () => {
  await using program = await startProgram();
  await using listener = await startListener(program.url);
  for (let run = 0; run < 3; run++) {
    // A client of its own, as another browser is: it knows nothing of the runs before.
    const { data } = await openClient(listener.url).query({ query: keys });
    expect(data).toMatchObject({ webhookSources: [{ key: 'apimall' }, { key: 'diligent' }] });
  }
  expect(listener.heard.map(({ query }) => query !== undefined)).toEqual([false, true, false, false]);
});

test('Apollo Client runs the documents of its manifest where only those are trusted, and is told so of others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hookgraph-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const manifest = join(folder, 'manifest.json');
  const body = print(new InMemoryCache().transformDocument(keys));
  const operations = [{ id: sha256(body), name: 'Keys', type: 'query', body }];
  await writeFile(manifest, JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations }));
  await using program = await startProgram({ TRUSTED_DOCUMENTS: manifest });
  const client = openClient(program.url);
  expect((await client.query({ query: keys })).data).toMatchObject({ webhookSources: [{}, {}] });
  const other = client.query({ query: gql`query Other { webhookSources { id name } }` });
  const error = await other.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(CombinedGraphQLErrors.is(error) && error.errors[0]?.extensions).toEqual({
    code: 'PERSISTED_QUERY_NOT_IN_LIST',
  });
});
