/** A webhook as the API writes it (`upstreams.md` A3). */
export interface WireRow {
  readonly id: number;
  readonly url: string;
  readonly events: readonly string[];
  readonly status?: string;
  /** "When present": JSON leaves out what is undefined. */
  readonly api_key_id?: number | null | undefined;
  readonly total_sent?: number;
  readonly total_failed?: number;
  readonly last_sent_at?: string | null;
  readonly last_error?: string | null;
  readonly created_at?: string;
  readonly updated_at?: string;
  readonly [undocumented: string]: unknown;
}

/** A webhook as the API shows it at `start`, and which counter grows by one every so many milliseconds since. */
export interface Row {
  readonly wire: WireRow;
  readonly grows?: { readonly counter: 'total_sent' | 'total_failed'; readonly every: number };
}

/** What `api_key_id` is where nothing else is said: the id of the only key that is accepted. */
export const keyId = 12;

const start = Date.parse('2026-03-12T08:58:00.000Z');
const both = ['job.completed', 'job.failed'];
const completed = ['job.completed'];
const failed = ['job.failed'];

/** What is there at first, by id. Row 8 at `start` is the documented sample but for its URL; the page form cuts after row 58. */
export const seed: readonly Row[] = [
  sends(8, 'https://hooks.acme.example/apimall/orders', both, 61_300, [32, 1]),
  sends(9, 'https://hooks.acme.example/apimall/billing', both, 47_250, [1280, 3]),
  sends(10, 'https://crm.acme.example/apimall', completed, 180_500, [774, 0]),
  sends(11, 'https://warehouse.acme.example/apimall/ingest', both, 95_010, [1519, 22]),
  fails(14, 'https://staging.acme.example/apimall', both, 300_000, [410, 57], { last_error: 'connect ETIMEDOUT' }),
  fails(15, 'https://staging.acme.example/apimall/nightly', failed, 3_600_000, [0, 12]),
  sends(17, 'https://hooks.globex.example/apimall', both, 33_700, [3891, 8]),
  idles(18, 'https://hooks.globex.example/apimall/images', completed),
  { wire: listed(21, 'https://hooks.acme.example/apimall/legacy-billing', both, [96, 4], { status: 'paused' }) },
  { wire: listed(22, 'https://ops.umbrella.example/apimall', failed, [15, 0], { status: 'revoked', api_key_id: 7 }) },
  sends(23, 'https://ops.umbrella.example/apimall/audit', both, 120_000, [208, 0], { status: 'quarantined' }),
  sends(26, 'https://crm.acme.example/apimall/jobs', ['job.completed', 'job.cancelled'], 240_800, [61, 0]),
  { wire: { id: 27, url: 'https://hooks.soylent.example/apimall', events: completed } },
  idles(30, 'mqtt://broker.acme.example/apimall/jobs', both),
  sends(31, 'https://eu.hooks.globex.example/apimall', both, 77_770, [950, 2], { region: 'eu-west-1' }),
  { wire: created(33, 'https://hooks.initech.example/apimall/new', both) },
  sends(35, 'https://warehouse.acme.example/apimall/returns', failed, 410_900, [19, 0], { api_key_id: undefined }),
  sends(36, 'https://billing.initech.example/apimall', both, 150_000, [333, 5], { api_key_id: null, last_error: '' }),
  sends(41, 'https://hooks.acme.example/apimall/orders', failed, 88_400, [140, 0], { api_key_id: 9 }),
  fails(58, 'https://warehouse.acme.example/apimall/labels', both, 20_000, [7, 951], { last_error: 'HTTP 503' }),
  idles(64, 'https://crm.acme.example/apimall/leads', completed, { status: 'created' }),
  sends(77, 'https://reports.umbrella.example/apimall/daily', completed, 86_400_000, [1, 0]),
  sends(99, 'https://HOOKS.initech.example:8443/apimall', both, 52_900, [402, 1]),
  sends(100, 'https://hooks.globex.example/apimall/firehose', both, 2000, [50_211, 17]),
];

/** A webhook as the list shows it at `now`. */
export function shownAt(now: number, { wire, grows }: Row): WireRow {
  if (!grows) return wire;
  const attempts = Math.max(0, Math.floor((now - start) / grows.every));
  const at = iso(start + attempts * grows.every);
  return { ...wire, [grows.counter]: (wire[grows.counter] ?? 0) + attempts, last_sent_at: at, updated_at: at };
}

/** What a create answers with at `now`: neither counters nor `last_*` (A4). */
export function createdRow(id: number, url: string, events: readonly string[], now: number) {
  const at = iso(now);
  return { id, url, events, status: 'active', api_key_id: keyId, created_at: at, updated_at: at };
}

/** The same webhook in a list, for as long as nothing was sent to it. */
export function idleRow({ created_at, updated_at, ...said }: ReturnType<typeof createdRow>): Row {
  const nothing = { total_sent: 0, total_failed: 0, last_sent_at: null, last_error: null };
  return { wire: { ...said, ...nothing, created_at, updated_at } };
}

type Counts = readonly [sent: number, failed: number];
type Said = Partial<WireRow>;

function sends(id: number, url: string, events: string[], every: number, counts: Counts, said?: Said): Row {
  return { wire: listed(id, url, events, counts, said), grows: { counter: 'total_sent', every } };
}

function fails(id: number, url: string, events: string[], every: number, counts: Counts, said?: Said): Row {
  return { wire: listed(id, url, events, counts, said), grows: { counter: 'total_failed', every } };
}

function idles(id: number, url: string, events: string[], said?: Said): Row {
  const { wire } = idleRow(created(id, url, events));
  return { wire: { ...wire, ...said } };
}

function listed(id: number, url: string, events: string[], [total_sent, total_failed]: Counts, said?: Said): WireRow {
  const { status, api_key_id, created_at } = created(id, url, events);
  const at = iso(start);
  const delivery = { total_sent, total_failed, last_sent_at: at, last_error: null };
  return { id, url, events, status, api_key_id, ...delivery, created_at, updated_at: at, ...said };
}

// Ids are given out in order, so one every 25 minutes here.
function created(id: number, url: string, events: string[]) {
  return createdRow(id, url, events, Date.parse('2026-03-10T08:05:00.000Z') + (id - 8) * 1_500_000);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
