import { expect, test } from 'vitest';
import { diligent } from '../src/providers/diligent/index.ts';
import { createSandbox } from '../src/providers/diligent/sandbox.ts';
import { openGraph } from './support/graph.ts';

const minute = 60_000;
const staging = '7d1c2b90-2f7e-4a43-8a6d-5d7f0a9be3c2';

const document = `{ webhooks(first: 20, orderBy: { field: HEALTH }) { complete nodes { externalId health healthReason
  lastDelivery { at httpStatus }
  ... on DiligentWebhook {
    failureSummary { attempts consecutiveFailures firstFailedAt lastSucceededAt lastFailedAt statusClasses { count } }
    deliveries(first: 1) { nodes { externalId at httpStatus succeeded } complete }
  }
} } }`;

interface Node {
  readonly externalId: string;
  readonly health: string;
  readonly lastDelivery: { readonly at: string; readonly httpStatus: number } | null;
  readonly failureSummary: {
    readonly attempts: number;
    readonly consecutiveFailures: number;
    readonly firstFailedAt: string | null;
    readonly lastSucceededAt: string | null;
    readonly lastFailedAt: string | null;
    readonly statusClasses: readonly { readonly count: number }[];
  };
  readonly deliveries: {
    readonly nodes: readonly { readonly externalId: string; readonly at: string; readonly httpStatus: number }[];
  };
}

/** The sandbox under a clock that the test moves, written to without any code of ours. */
async function open() {
  const clock = { now: Date.parse('2026-11-01T12:00:00Z') };
  const { listener, key } = createSandbox(() => clock.now);
  const graph = await openGraph({ diligent: listener }, { passthrough: true });
  return {
    clock,
    async read(): Promise<readonly Node[]> {
      const { data, errors } = await graph.answer(document, {}, { [diligent.credentialHeader]: key });
      expect(errors).toBeUndefined();
      expect(data.webhooks.complete).toBe(true);
      return data.webhooks.nodes;
    },
    async write(method: string, path: string, body?: object) {
      const headers = { 'content-type': 'application/json', ...diligent.authorization(key) };
      const url = `${graph.upstreams.diligent?.url}/webhooks/${path}`;
      const response = await fetch(url, { method, headers, body: body ? JSON.stringify(body) : null });
      expect(response.ok).toBe(true);
    },
    [Symbol.asyncDispose]: graph[Symbol.asyncDispose],
  };
}

/** What does not fit in what is said of one webhook by its verdict, its latest delivery and its log. */
function contradictions({ externalId, health, lastDelivery, failureSummary, deliveries }: Node): string[] {
  const {
    attempts,
    consecutiveFailures: failures,
    firstFailedAt,
    lastFailedAt,
    lastSucceededAt,
    statusClasses,
  } = failureSummary;
  const [newest] = deliveries.nodes;
  const claims: Readonly<Record<string, boolean>> = {
    'FAILING goes with failures': health === 'DISABLED' || (health === 'FAILING') === failures > 0,
    'IDLE goes with an empty log': health !== 'IDLE' || attempts === 0,
    'the latest delivery is the newest of the log':
      newest?.at === lastDelivery?.at && newest?.httpStatus === lastDelivery?.httpStatus,
    'a run has a beginning': failures > 0 === (firstFailedAt !== null),
    'a run is after the last success': failures === 0 || (lastSucceededAt ?? '') < (firstFailedAt ?? ''),
    'a run ends with the last failure': failures === 0 || (firstFailedAt ?? '') <= (lastFailedAt ?? ''),
    'every attempt is in a class': statusClasses.reduce((sum, { count }) => sum + count, 0) === attempts,
  };
  return Object.entries(claims).flatMap(([claim, holds]) => (holds ? [] : [`${externalId}: ${claim}`]));
}

function nodeOf(nodes: readonly Node[], id: string): Node {
  const node = nodes.find(({ externalId }) => externalId === id);
  if (!node) throw new Error(`There is no ${id}.`);
  return node;
}

test('the verdict and the log say the same at every moment', async () => {
  await using sandbox = await open();
  const verdicts = new Set<string>();
  for (const later of [0, 1, 2400, 12_500, minute, 5 * minute, 17 * minute, 600 * minute, 30_000 * minute]) {
    sandbox.clock.now += later;
    const nodes = await sandbox.read();
    expect(nodes.flatMap(contradictions)).toEqual([]);
    for (const { health } of nodes) verdicts.add(health);
  }
  expect(verdicts).toContain('FAILING');
  expect(verdicts).toContain('HEALTHY');
});

test('a redelivery that fails makes the run longer by one, and one that succeeds ends it', async () => {
  await using sandbox = await open();
  const before = nodeOf(await sandbox.read(), staging);
  expect(before).toMatchObject({ health: 'FAILING', failureSummary: { consecutiveFailures: 7 } });
  const redeliver = () =>
    sandbox.write('POST', `${staging}/events/${before.deliveries.nodes[0]?.externalId}/redeliver`);
  sandbox.clock.now += minute;
  await redeliver();
  const failed = await sandbox.read();
  expect(failed.flatMap(contradictions)).toEqual([]);
  expect(nodeOf(failed, staging)).toMatchObject({ health: 'FAILING', failureSummary: { consecutiveFailures: 8 } });
  // Whoever changes it has mended its receiver.
  await sandbox.write('PATCH', staging, { events: ['search_completed'] });
  sandbox.clock.now += minute / 10;
  await redeliver();
  const mended = await sandbox.read();
  expect(mended.flatMap(contradictions)).toEqual([]);
  const lastSucceededAt = new Date(sandbox.clock.now).toISOString();
  expect(nodeOf(mended, staging)).toMatchObject({
    health: 'HEALTHY',
    failureSummary: { consecutiveFailures: 0, lastSucceededAt },
  });
});

test('switched off, it is DISABLED and its log says why it failed', async () => {
  await using sandbox = await open();
  await sandbox.write('PATCH', staging, { is_active: false });
  sandbox.clock.now += 60 * minute;
  const nodes = await sandbox.read();
  expect(nodes.flatMap(contradictions)).toEqual([]);
  expect(nodeOf(nodes, staging)).toMatchObject({ health: 'DISABLED', failureSummary: { consecutiveFailures: 7 } });
});

test('contradictions would be seen', async () => {
  await using sandbox = await open();
  const nodes = await sandbox.read();
  const { failureSummary } = nodeOf(nodes, staging);
  const exchanged = nodes.map((node) => ({ ...node, failureSummary }));
  expect(exchanged.flatMap(contradictions).length).toBeGreaterThan(nodes.length / 2);
});
