import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SourceConfig } from './config-sources.ts';
import type { Clock, Provider } from './providers/provider.ts';

/** The upstreams of some providers, served from memory over real sockets on loopback. */
export interface RunningSandbox {
  /** How to reach each stand-in and with which key. */
  readonly sources: readonly SourceConfig[];
  close(): void;
}

/** Starts the sandbox of each provider on a free port. */
export async function startSandbox(providers: readonly Provider[], clock: Clock): Promise<RunningSandbox> {
  const started = await Promise.all(
    providers.map(async (provider) => {
      const sandbox = provider.sandbox(clock);
      const server = createServer(sandbox.listener);
      const url = `http://127.0.0.1:${await listen(server)}${sandbox.path}`;
      return { server, source: { key: provider.key, url, credential: sandbox.key } };
    }),
  );
  return {
    sources: started.map(({ source }) => source),
    close() {
      for (const { server } of started) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
