import { type AugmentedRequest, RESTDataSource } from '@apollo/datasource-rest';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { environment } from './environment.ts';
import { connect, typeDefs } from './graph.ts';
import type { ApiMallRow, DiligentRow } from './webhook.ts';

/** Apollo Server with its own data sources, as its manual shows them. */

class Upstream extends RESTDataSource {
  readonly #headers: Readonly<Record<string, string>>;

  constructor(
    url: string,
    headers: Readonly<Record<string, string>>,
    config: ConstructorParameters<typeof RESTDataSource>[0],
  ) {
    super(config);
    this.baseURL = `${url}/`;
    this.#headers = headers;
  }

  override willSendRequest(_path: string, request: AugmentedRequest): void {
    Object.assign(request.headers, this.#headers);
  }

  list<T>(): Promise<T> {
    return this.get<T>('webhooks');
  }
}

interface Context {
  readonly apimall: Upstream;
  readonly diligent: Upstream;
}

const { apimall, diligent, port } = environment;

const resolvers = {
  Query: {
    async webhooks(_root: unknown, { first }: { first?: number }, context: Context) {
      const [answer, rows] = await Promise.all([
        context.apimall.list<{ data: ApiMallRow[] }>(),
        context.diligent.list<DiligentRow[]>(),
      ]);
      return connect(answer.data, rows, first ?? 100);
    },
  },
};

const server = new ApolloServer<Context>({ typeDefs, resolvers });
await startStandaloneServer(server, {
  listen: { port, host: '127.0.0.1' },
  context: async () => ({
    apimall: new Upstream(apimall.url, { authorization: `Bearer ${apimall.key}` }, { cache: server.cache }),
    diligent: new Upstream(diligent.url, { 'x-api-key': diligent.key }, { cache: server.cache }),
  }),
});
