import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openGraphAt, reportQuery } from './support/faults.ts';
import type { Graph } from './support/graph.ts';
import { type Names, serveNames } from './support/names.ts';
import { diligentRow } from './support/rows.ts';

/** Milliseconds within which calls go to a new address, however busy the connections to the old one are. */
const promisedMs = 30_000;

/** Elsewhere, 127.0.0.2 is not this machine unless somebody says so. */
const linux = test.skipIf(process.platform !== 'linux');

let names: Names;

beforeEach(() => {
  names = serveNames();
});

afterEach(() => {
  vi.restoreAllMocks();
  names[Symbol.dispose]();
});

/** Answers one row that tells the address, on this port of it. */
async function startAt(address: string, port = 0) {
  let connections = 0;
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify([diligentRow({ id: address })]));
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answeredBy(graph: Graph): Promise<string> {
  const { webhooks } = await graph.query('{ webhooks { nodes { externalId } } }');
  // The connection is free again a moment after the answer.
  await sleep(50);
  return webhooks.nodes[0]?.externalId;
}

linux('follows a name to its new address within 30 s, though the connections to the old one are in use', async () => {
  await using before = await startAt('127.0.0.1');
  await using after = await startAt('127.0.0.2', before.port);
  names.set('upstream.lab.test', '127.0.0.1');
  await using graph = await openGraphAt({ diligent: `http://upstream.lab.test:${before.port}` });
  expect(await answeredBy(graph)).toBe('127.0.0.1');
  names.set('upstream.lab.test', '127.0.0.2');
  expect(await answeredBy(graph)).toBe('127.0.0.1');
  // The clock of the connections' age, not the one of timers.
  const later = performance.now() + promisedMs + 1;
  vi.spyOn(performance, 'now').mockImplementation(() => later);
  expect(await answeredBy(graph)).toBe('127.0.0.2');
  expect([before.connections(), after.connections()]).toEqual([1, 1]);
});

linux('finds the new address at once where the old one is gone', async () => {
  names.set('upstream.lab.test', '127.0.0.1');
  const before = await startAt('127.0.0.1');
  await using graph = await openGraphAt({ diligent: `http://upstream.lab.test:${before.port}` });
  expect(await answeredBy(graph)).toBe('127.0.0.1');
  await before[Symbol.asyncDispose]();
  await using _ = await startAt('127.0.0.2', before.port);
  names.set('upstream.lab.test', '127.0.0.2');
  expect((await graph.query(reportQuery)).webhooks.complete).toBe(true);
  expect(await answeredBy(graph)).toBe('127.0.0.2');
});
