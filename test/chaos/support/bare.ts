import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readConfig } from '../../../src/config.ts';
import { callerCredentials, serverCredentials } from '../../../src/credentials.ts';
import { createGateway } from '../../../src/gateway.ts';
import { providers } from '../../../src/providers/index.ts';
import { createBareUpstream } from '../../support/bare-upstream.ts';

/** The same graph with every guard taken away, as a program: what the suites must see fall. */
const config = readConfig(providers);
/** With LEAK=on, what every call brought is kept for ever. */
const kept: Buffer[] = [];
const keep = (text: string) => void (process.env.LEAK === 'on' && kept.push(Buffer.from(text.repeat(3))));
const { shareInFlight } = config.upstream;
const sources = providers.map((provider) => ({
  key: provider.key,
  provider,
  upstream: createBareUpstream(config.sources.find(({ key }) => key === provider.key)?.url ?? provider.url, {
    shareInFlight,
    keep,
  }),
}));
const gateway = createGateway({
  ...config,
  sources,
  needsToken: false,
  documentLimits: { tokens: 1e6, aliases: 1e6, directives: 1e6, depth: 1e6, cost: 1e12 },
  findCredentials: config.credentials === 'passthrough' ? callerCredentials : serverCredentials(config.sources),
  onInternalError: () => {},
  onListed: () => {},
  onWrite: () => {},
});
const server = createServer(gateway.yoga).listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`bare at http://127.0.0.1:${port}/graphql\n`);
});
