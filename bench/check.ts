import { isDeepStrictEqual } from 'node:util';
import { type QueryName, queries } from './query.ts';
import { askPatiently, type RunningContestant } from './rig/contestant-process.ts';
import type { UpstreamShape } from './rig/upstreams.ts';

interface Row {
  readonly id: string;
  readonly lastDelivery: { readonly at: string } | null;
  readonly totalSent?: number;
  readonly [field: string]: unknown;
}

/** Rows by their ids. */
export type RowsById = Readonly<Record<string, Row>>;

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
  { port, name }: Pick<RunningContestant, 'port' | 'name'>,
  query: QueryName,
  { rows, count }: UpstreamShape,
): Promise<{ readonly bytes: number; readonly rows: RowsById }> {
  const what = `${name}, ${query}, ${rows} rows, ${count} webhooks`;
  const answers = [await askPatiently(port, queries[query]), await askPatiently(port, queries[query])];
  const [before = {}, after = {}] = answers.map(({ status, text }) => {
    ensure(status === 200, `${what}: ${status} ${text.slice(0, 400)}`);
    return readWebhooks(text, query, count, what);
  });
  const moved = Object.keys(after).filter((id) => before[id]?.lastDelivery?.at !== after[id]?.lastDelivery?.at);
  const delivered = Object.values(after).filter(({ lastDelivery }) => lastDelivery !== null);
  if (rows === 'unchanged') ensure(moved.length === 0, `${what}: rows moved that did not upstream`);
  else {
    const least = rows === 'changing' ? delivered.length : Math.min(1, Math.floor(count / 20));
    ensure(moved.length >= least, `${what}: rows moved upstream, and ${moved.length} of ${least} here`);
  }
  return { bytes: Buffer.byteLength(answers[0]?.text ?? ''), rows: after };
}

function readWebhooks(text: string, query: QueryName, count: number, what: string): RowsById {
  const { data, errors } = JSON.parse(text) as { data: { webhooks: Webhooks }; errors?: unknown };
  ensure(errors === undefined, `${what}: ${JSON.stringify({ errors }).slice(0, 400)}`);
  const { nodes, ...rest } = data.webhooks;
  const byId = Object.fromEntries(nodes.map((node) => [node.id, node]));
  const distinct = Object.keys(byId).length;
  ensure(nodes.length === 2 * count && distinct === 2 * count, `${what}: ${nodes.length} rows, ${distinct} ids`);
  const reasons = query === 'report' ? ['healthReason'] : [];
  for (const node of nodes) {
    const [typename] = Buffer.from(node.id, 'base64url').toString().split(':');
    const own = ownFields[typename as keyof typeof ownFields];
    const fields = [...commonFields, ...own, ...reasons].sort();
    ensure(isDeepStrictEqual(Object.keys(node).sort(), fields), `${what}: the fields are ${Object.keys(node)}`);
  }
  const source = { state: 'OK', itemCount: count };
  const about = query === 'report' ? { complete: true, sources: [source, source] } : {};
  ensure(isDeepStrictEqual(rest, about), `${what}: ${JSON.stringify(rest)}`);
  return byId;
}

/** Throws unless two contestants say the same of every webhook, whatever order they say it in. */
export function checkAgreement(name: string, rows: RowsById, expected: RowsById): void {
  for (const [id, row] of Object.entries(expected)) {
    const said = JSON.stringify(rows[id]);
    ensure(isDeepStrictEqual(rows[id], row), `${name} says ${said} where another says ${JSON.stringify(row)}`);
  }
}

function ensure(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
