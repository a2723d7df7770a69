import { fastify } from 'fastify';
import { mercurius } from 'mercurius';
import { Pool } from 'undici';
import { environment } from './environment.ts';
import { connect, typeDefs } from './graph.ts';
import type { ApiMallRow, DiligentRow } from './webhook.ts';

/** Mercurius with its compiler on from the first request, and undici as Fastify's people use it. */

const { apimall, diligent, port } = environment;
const apimallPool = new Pool(new URL(apimall.url).origin);
const diligentPool = new Pool(new URL(diligent.url).origin);

async function list<T>(pool: Pool, url: string, headers: Record<string, string>): Promise<T> {
  const { statusCode, body } = await pool.request({
    path: `${new URL(url).pathname}/webhooks`,
    method: 'GET',
    headers,
  });
  if (statusCode !== 200) throw new Error(`The upstream answered ${statusCode}.`);
  return (await body.json()) as T;
}

const resolvers = {
  Query: {
    async webhooks(_root: unknown, { first }: { first?: number }) {
      const [answer, rows] = await Promise.all([
        list<{ data: ApiMallRow[] }>(apimallPool, apimall.url, { authorization: `Bearer ${apimall.key}` }),
        list<DiligentRow[]>(diligentPool, diligent.url, { 'x-api-key': diligent.key }),
      ]);
      return connect(answer.data, rows, first ?? 100);
    },
  },
  Webhook: { resolveType: ({ __typename }: { __typename: string }) => __typename },
};

const app = fastify();
app.register(mercurius, { schema: typeDefs, resolvers, jit: 1 });
await app.listen({ port, host: '127.0.0.1' });
