import assert from 'node:assert/strict';
import { type QueryName, queries } from './query.ts';
import { ask, type RunningContestant } from './rig/contestant-process.ts';
import type { UpstreamShape } from './rig/upstreams.ts';

interface Row {
  readonly id: string;
  readonly lastDelivery: { readonly at: string } | null;
  readonly totalSent?: number;
  readonly [field: string]: unknown;
}

interface Webhooks {
  readonly nodes: readonly Row[];
  readonly [field: string]: unknown;
}

const commonFields = ['id', 'url', 'events', 'health', 'enabled', 'lastDelivery'];
const ownFields = {
  ApiMallWebhook: ['apiKeyId', 'totalSent', 'totalFailed', 'lastSentAt', 'lastError'],
  DiligentWebhook: ['isActive', 'hasSecret', 'lastDeliveryAt', 'lastDeliveryStatus'],
};

/**
 * Asks a contestant twice and throws unless both answers are right: every webhook of both upstreams once, with exactly the
 * selected fields; what moved between the two upstream answers moved in these, too. Returns the bytes of an answer, and its
 * rows by id, to compare contestants with each other.
 */
export async function checkAnswers(
  { port, contestant }: RunningContestant,
  query: QueryName,
  { rows, count }: UpstreamShape,
): Promise<{ readonly bytes: number; readonly rows: Readonly<Record<string, Row>> }> {
  const what = `${contestant.name}, ${query}, ${rows} rows, ${count} webhooks`;
  const answers = [await ask(port, queries[query]), await ask(port, queries[query])];
  const [before, after] = answers.map(({ status, text }) => {
    assert.equal(status, 200, `${what}: ${text.slice(0, 400)}`);
    return readWebhooks(text, query, count, what);
  });
  assert(before && after);
  const moved = Object.keys(after).filter((id) => hasMoved(before[id], after[id]));
  const delivered = Object.values(after).filter(({ lastDelivery }) => lastDelivery !== null);
  if (rows === 'unchanged') assert.equal(moved.length, 0, `${what}: rows moved that did not upstream`);
  if (rows === 'changing') assert.equal(moved.length, delivered.length, `${what}: rows moved upstream and not here`);
  if (rows === 'some') assert(moved.length > 0 || count < 20, `${what}: rows moved upstream and not here`);
  return { bytes: Buffer.byteLength(answers[0]?.text ?? ''), rows: after };
}

function readWebhooks(text: string, query: QueryName, count: number, what: string): Record<string, Row> {
  const { data, errors } = JSON.parse(text) as { data: { webhooks: Webhooks }; errors?: unknown };
  assert.equal(errors, undefined, `${what}: ${JSON.stringify(errors)}`);
  const { nodes, ...rest } = data.webhooks;
  const byId = Object.fromEntries(nodes.map((node) => [node.id, node]));
  assert.equal(nodes.length, 2 * count, `${what}: rows`);
  assert.equal(Object.keys(byId).length, 2 * count, `${what}: distinct ids`);
  const reasons = query === 'report' ? ['healthReason'] : [];
  for (const node of nodes) {
    const [typename] = Buffer.from(node.id, 'base64url').toString().split(':');
    const own = ownFields[typename as keyof typeof ownFields];
    assert.deepEqual(Object.keys(node).sort(), [...commonFields, ...own, ...reasons].sort(), `${what}: fields`);
  }
  const source = { state: 'OK', itemCount: count };
  assert.deepEqual({ ...rest }, query === 'report' ? { complete: true, sources: [source, source] } : {}, what);
  return byId;
}

function hasMoved(before: Row | undefined, after: Row | undefined): boolean {
  return before?.lastDelivery?.at !== after?.lastDelivery?.at;
}

/** Throws unless two contestants say the same of every webhook, whatever order they say it in. */
export function checkAgreement(
  name: string,
  rows: Readonly<Record<string, Row>>,
  expected: Readonly<Record<string, Row>>,
): void {
  assert.deepEqual(rows, expected, `${name} answers otherwise than those before it`);
}
