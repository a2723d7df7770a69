import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readConfig } from '../../../src/config.ts';
import { callerCredentials, serverCredentials } from '../../../src/credentials.ts';
import { SourceError } from '../../../src/errors.ts';
import { createGateway } from '../../../src/gateway.ts';
import { providers } from '../../../src/providers/index.ts';
import type { Http, Upstream } from '../../../src/upstream/http.ts';

/** The same graph with every guard taken away, as a program: what the suites must see fall. */
const config = readConfig(providers);
const sources = providers.map((provider) => ({
  key: provider.key,
  provider,
  upstream: createBareUpstream(config.sources.find(({ key }) => key === provider.key)?.url ?? provider.url),
}));
const gateway = createGateway({
  ...config,
  sources,
  documentLimits: { tokens: 1e6, aliases: 1e6, directives: 1e6, depth: 1e6, cost: 1e12 },
  findCredentials: config.credentials === 'passthrough' ? callerCredentials : serverCredentials(config.sources),
  onInternalError: () => {},
});
const server = createServer(gateway).listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`bare at http://127.0.0.1:${port}/graphql\n`);
});

/** With LEAK=on, what every call brought is kept for ever. */
const kept: unknown[] = [];

/** One fetch a call, whatever happens. SHARE_IN_FLIGHT shares by the operation's name alone, whoever asks. */
function createBareUpstream(url: string): Upstream {
  const underWay = new Map<string, Promise<unknown>>();
  return {
    async run<T>(
      name: string,
      headers: Readonly<Record<string, string>>,
      _caller: AbortSignal,
      operation: (http: Http) => Promise<T>,
    ) {
      const start = () =>
        operation({
          failure: (code, details) => new SourceError(code, details),
          async getJson(path, schema) {
            let text = '';
            try {
              const response = await fetch(url + path, { headers });
              text = await response.text();
              if (process.env.LEAK === 'on') kept.push(Buffer.from(text.repeat(3)));
              if (response.status === 200) return schema.parse(JSON.parse(text));
            } catch (error) {
              throw new SourceError('UNREACHABLE', {}, error);
            }
            throw new SourceError('UPSTREAM_ERROR', { message: text });
          },
        });
      if (!config.upstream.shareInFlight) return await start();
      const shared = underWay.get(name) ?? start().finally(() => underWay.delete(name));
      underWay.set(name, shared);
      return (await shared) as T;
    },
    close: async () => {},
  };
}
