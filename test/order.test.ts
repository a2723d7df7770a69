import { expect, test } from 'vitest';
import { askAgain, createSpeaker } from './support/again.ts';
import { openGraph } from './support/graph.ts';
import { apimallRow } from './support/rows.ts';

/** Numbers that are the same at every run. */
function createRandom() {
  let seed = 7;
  return (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
}

interface Shown {
  readonly url: string;
  readonly externalId: string;
}

function inOrder(rows: readonly Shown[], sign: number): readonly Shown[] {
  return rows.toSorted((a, b) => {
    if (a.url !== b.url) return a.url < b.url ? -sign : sign;
    return Number(a.externalId) - Number(b.externalId);
  });
}

test('a list is in order each time, whatever moved, came or went since it was asked for last', async () => {
  const random = createRandom();
  const rows = Array.from({ length: 50 }, (_, id) => ({ id, url: `https://x.test/${id % 9}` }));
  const { speaker, listener } = createSpeaker('');
  await using graph = await openGraph({ apimall: listener });
  const changes = [
    () => {},
    () => {
      const row = rows[random(rows.length)];
      if (row) row.url = `https://x.test/${random(60)}`;
    },
    () => rows.reverse(),
    () => rows.push({ id: 1000 + random(1_000_000), url: `https://x.test/${random(60)}` }),
    () => rows.splice(random(rows.length), 1),
  ];
  for (let round = 0; round < 150; round++) {
    changes[random(changes.length)]?.();
    const unique = [...new Map(rows.map((row) => [row.id, row])).values()];
    const data = unique.map(({ id, url }) => apimallRow({ id, url, total_sent: round }));
    speaker.body = JSON.stringify({ success: true, data, request_id: 'req_1' });
    for (const [direction, sign] of [['ASC', 1] as const, ['DESC', -1] as const]) {
      const query = `{ webhooks(first: 1000, orderBy: { field: URL, direction: ${direction} }) { nodes { url externalId } } }`;
      const { nodes } = JSON.parse((await askAgain(graph, query)).text).data.webhooks;
      const expected = unique.map(({ id, url }) => ({ url, externalId: String(id) }));
      expect(nodes).toEqual(inOrder(expected, sign));
    }
  }
});
