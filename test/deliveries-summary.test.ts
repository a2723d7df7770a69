import { expect, test } from 'vitest';
import { attemptAt, diligentWith } from './support/deliveries.ts';
import { openGraph } from './support/graph.ts';
import { json } from './support/upstream.ts';

const alert = { event_type: 'monitoring_alert_fired' };
const search = { event_type: 'search_completed' };

const log = [
  attemptAt(9, 'm9', 503, alert),
  attemptAt(8, 'm8', 404, search),
  attemptAt(7, 'm7', null, alert),
  attemptAt(6, 'm6', 200, search),
  attemptAt(5, 'm5', 302),
  attemptAt(4, 'm4', 204, { event_type: null }),
  attemptAt(0, 'undated', 500, { timestamp: null }),
];
const all = ['m9', 'm8', 'm7', 'm6', 'm5', 'm4', 'undated'];

const at = (minute: number) => new Date(Date.UTC(2026, 6, 31, 0, minute)).toISOString();

async function openLog(rows: readonly object[] = log) {
  return await openGraph({ diligent: diligentWith(json(rows)) });
}

test.each<[string, object | null, readonly string[]]>([
  ['nothing', null, all],
  ['no condition', {}, all],
  [
    'null for every condition',
    { succeeded: null, statusClass: null, event: null, attemptedAfter: null, attemptedBefore: null },
    all,
  ],
  ['those that succeeded', { succeeded: true }, ['m6', 'm4']],
  ['those that failed, and not those of which it is not said', { succeeded: false }, ['m9', 'm8', 'm5', 'undated']],
  ['one class', { statusClass: ['SERVER_ERROR'] }, ['m9', 'undated']],
  ['one of two classes', { statusClass: ['CLIENT_ERROR', 'REDIRECTION'] }, ['m8', 'm5']],
  ['what is in no class', { statusClass: ['UNKNOWN'] }, ['m7']],
  ['one kind of event', { event: ['search_completed'] }, ['m8', 'm6']],
  ['one of two kinds', { event: ['search_completed', 'monitoring_alert_fired'] }, ['m9', 'm8', 'm7', 'm6']],
  ['a kind in another spelling', { event: ['SEARCH_COMPLETED'] }, []],
  ['an empty list of classes', { statusClass: [] }, []],
  ['an empty list of kinds', { event: [] }, []],
  ['from a time on, which counts', { attemptedAfter: at(7) }, ['m9', 'm8', 'm7']],
  ['before a time, which does not count', { attemptedBefore: at(6) }, ['m5', 'm4']],
  [
    'between two times, in whatever zone',
    { attemptedAfter: '2026-07-31T02:05:00+02:00', attemptedBefore: at(8) },
    ['m7', 'm6', 'm5'],
  ],
  ['a time before which there is nothing', { attemptedBefore: '2020-01-01T00:00:00Z' }, []],
  [
    'a time after which there is nothing, in UTC in the year 10000',
    { attemptedAfter: '9999-12-31T23:59:59-05:00' },
    [],
  ],
  [
    'all conditions together',
    {
      succeeded: false,
      statusClass: ['SERVER_ERROR', 'CLIENT_ERROR'],
      event: ['search_completed'],
      attemptedAfter: at(1),
    },
    ['m8'],
  ],
])('lists by %s', async (_name, filter, expected) => {
  await using graph = await openLog();
  const { webhooks } = await graph.query(
    `query ($filter: WebhookDeliveryFilter) { webhooks(first: 1) { nodes { ... on DiligentWebhook {
      deliveries(filter: $filter) { nodes { externalId } totalCount sources { itemCount } }
      failureSummary { attempts }
    } } } }`,
    { filter },
  );
  const [{ deliveries, failureSummary }] = webhooks.nodes;
  expect(deliveries.nodes.map(({ externalId }: { externalId: string }) => externalId)).toEqual(expected);
  expect(deliveries).toMatchObject({ totalCount: expected.length, sources: [{ itemCount: all.length }] });
  // The summary is of the whole log.
  expect(failureSummary).toEqual({ attempts: all.length });
});

test('counts what matches on all pages', async () => {
  await using graph = await openLog();
  const { webhooks } = await graph.query(
    '{ webhooks(first: 1) { nodes { ... on DiligentWebhook { deliveries(first: 1, filter: { succeeded: false }) { nodes { externalId } totalCount pageInfo { hasNextPage } } } } } }',
  );
  const deliveries = { nodes: [{ externalId: 'm9' }], totalCount: 4, pageInfo: { hasNextPage: true } };
  expect(webhooks.nodes).toEqual([{ deliveries }]);
});

async function summarize(...rows: readonly object[]) {
  await using graph = await openLog(rows);
  const { webhooks } = await graph.query(
    '{ webhooks(first: 1) { nodes { ... on DiligentWebhook { failureSummary { attempts consecutiveFailures firstFailedAt reachesBeyondLog lastSucceededAt lastFailedAt statusClasses { statusClass count } } } } } }',
  );
  const { statusClasses, ...rest } = webhooks.nodes[0].failureSummary;
  return {
    rest,
    counts: statusClasses.map(({ statusClass, count }: { statusClass: string; count: number }) => [statusClass, count]),
  };
}

const none = { firstFailedAt: null, reachesBeyondLog: false, lastSucceededAt: null, lastFailedAt: null };

test('sums up a log whatever its order, every class once', async () => {
  for (const rows of [log, log.toReversed()]) {
    const { rest, counts } = await summarize(...rows);
    expect(rest).toEqual({
      attempts: 7,
      consecutiveFailures: 2,
      firstFailedAt: at(8),
      reachesBeyondLog: false,
      lastSucceededAt: at(6),
      lastFailedAt: at(9),
    });
    expect(counts).toEqual([
      ['INFORMATIONAL', 0],
      ['SUCCESSFUL', 2],
      ['REDIRECTION', 1],
      ['CLIENT_ERROR', 1],
      ['SERVER_ERROR', 2],
      ['UNKNOWN', 1],
    ]);
  }
});

test.each<[string, readonly object[], object]>([
  ['an empty log', [], { attempts: 0, consecutiveFailures: 0, ...none }],
  [
    'successes alone',
    [attemptAt(2, 'b'), attemptAt(1, 'a')],
    { attempts: 2, consecutiveFailures: 0, ...none, lastSucceededAt: at(2) },
  ],
  [
    'a success after failures',
    [attemptAt(3, 'c'), attemptAt(2, 'b', 500), attemptAt(1, 'a')],
    { attempts: 3, consecutiveFailures: 0, ...none, lastSucceededAt: at(3), lastFailedAt: at(2) },
  ],
  [
    'failures alone, which may have begun before the log',
    [attemptAt(3, 'c', 500), attemptAt(2, 'b', null), attemptAt(1, 'a', 404)],
    { attempts: 3, consecutiveFailures: 2, ...none, firstFailedAt: at(1), reachesBeyondLog: true, lastFailedAt: at(3) },
  ],
  [
    'attempts of which it is not said how they ended',
    [attemptAt(2, 'b', null), attemptAt(1, 'a', 'x')],
    { attempts: 2, consecutiveFailures: 0, ...none },
  ],
  [
    'such an attempt between failures, which it does not end, and before a success',
    [attemptAt(4, 'd', 500), attemptAt(3, 'c', null), attemptAt(2, 'b', 500), attemptAt(1, 'a')],
    { attempts: 4, consecutiveFailures: 2, ...none, firstFailedAt: at(2), lastSucceededAt: at(1), lastFailedAt: at(4) },
  ],
  [
    'failures without a time, which count and say nothing of when',
    [attemptAt(4, 'd', 500), attemptAt(3, 'c', 500, { timestamp: null })],
    { attempts: 2, consecutiveFailures: 2, ...none, firstFailedAt: at(4), reachesBeyondLog: true, lastFailedAt: at(4) },
  ],
  [
    'one event that failed, and was sent again and failed again',
    [attemptAt(2, 'a', 500), attemptAt(1, 'a', 500), attemptAt(0, 'a')],
    { attempts: 3, consecutiveFailures: 2, ...none, firstFailedAt: at(1), lastSucceededAt: at(0), lastFailedAt: at(2) },
  ],
])('sums up %s', async (_name, rows, expected) => {
  expect((await summarize(...rows)).rest).toEqual(expected);
});
