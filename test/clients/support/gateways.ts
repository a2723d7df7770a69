import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApolloGateway } from '@apollo/gateway';
import { parse, validate } from 'graphql';
import { startUpstream } from '../../support/upstream.ts';
import { composers, type Subgraphs } from './compose.ts';
import { graphqlListener } from './teams.ts';

/** A gateway over a supergraph, on a real socket. */
export interface StartedGateway extends AsyncDisposable {
  readonly url: string;
  /** All that it printed so far. */
  output(): string;
}

/** A kind of gateway. */
export interface GatewayKind {
  /** Composes these subgraphs and starts the gateway over them. */
  start(subgraphs: Subgraphs): Promise<StartedGateway>;
  /** Whether errors of a subgraph reach the client where there is data at their place, or an entity that is null. */
  readonly keepsErrors: boolean;
  /** Whether an entity that is met at several places is asked for as often, and not once. */
  readonly repeatsEntities: boolean;
}

/** The gateways by their names. */
export const gateways: Readonly<Record<string, GatewayKind>> = {
  'Hive Gateway': { start: startHive, keepsErrors: false, repeatsEntities: false },
  '@apollo/gateway': { start: startApollo, keepsErrors: true, repeatsEntities: true },
};

/** Hive's own program, over what the Guild's composer made. */
async function startHive(subgraphs: Subgraphs): Promise<StartedGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'hookgraph-hive-'));
  const file = join(folder, 'supergraph.graphql');
  await writeFile(file, composers['@theguild/federation-composition'](subgraphs).supergraph());
  const port = await freePort();
  const program = fileURLToPath(new URL('../node_modules/@graphql-hive/gateway/dist/bin.js', import.meta.url));
  const args = [program, 'supergraph', file, '--host', '127.0.0.1', '--port', String(port)];
  const child = spawn(process.execPath, args, { cwd: folder, env: { PATH: process.env.PATH }, stdio: 'pipe' });
  let output = '';
  const ended = once(child, 'exit');
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        if (/Listening on http/.test(output)) resolve();
      });
    }
    child.once('exit', () => reject(new Error(`Hive Gateway did not start: ${output}`)));
  });
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    output: () => output,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/** The program takes no port 0, so one is asked for before. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

type Executor = Awaited<ReturnType<ApolloGateway['load']>>['executor'];

/** Apollo's gateway, over what Apollo's composer made, in a server that does what Apollo Server does for it. */
async function startApollo(subgraphs: Subgraphs): Promise<StartedGateway> {
  let output = '';
  const log = (message?: unknown) => {
    output += `${message}\n`;
  };
  const logger = { debug: log, info: log, warn: log, error: log };
  const gateway = new ApolloGateway({
    supergraphSdl: composers['@apollo/composition'](subgraphs).supergraph(),
    logger,
  });
  const { schema, executor } = await gateway.load();
  const server = await startUpstream(
    graphqlListener(async ({ query, variables, operationName }) => {
      const document = parse(query);
      const errors = validate(schema, document);
      if (errors.length > 0) return { errors };
      const request = { query, variables: variables ?? {}, operationName: operationName ?? undefined };
      // Plans are kept by this hash. The rest is for the plugins of Apollo Server, of which there are none.
      const context = { request, document, schema, logger, queryHash: query, context: {}, metrics: {} };
      return executor(context as unknown as Parameters<Executor>[0]);
    }),
  );
  return {
    url: `${server.url}/graphql`,
    output: () => output,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await gateway.stop();
    },
  };
}
