/** What the contestants compute of a row, the same in all of them. hookgraph has its own, and the answers must agree. */

/** A row of API Mall's list. */
export interface ApiMallRow {
  readonly id: number;
  readonly url: string;
  readonly events: string[];
  readonly status: string;
  readonly api_key_id: number | null;
  readonly total_sent: number;
  readonly total_failed: number;
  readonly last_sent_at: string | null;
  readonly last_error: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** A row of Diligent's list. */
export interface DiligentRow {
  readonly id: string;
  readonly webhook_url: string;
  readonly is_active: boolean;
  readonly has_secret: boolean;
  readonly status: string;
  readonly last_delivery_at: string | null;
  readonly last_delivery_status: number | null;
  readonly events: string[];
}

export type Health = 'FAILING' | 'IDLE' | 'DISABLED' | 'HEALTHY';

export interface Verdict {
  readonly health: Health;
  readonly healthReason: string;
}

/** hookgraph's global id. */
export function globalId(typename: string, source: string, id: string | number): string {
  return Buffer.from(`${typename}:${source}:${id}`).toString('base64url');
}

/** hookgraph's verdict, as far as the stub's rows need it. */
export function judgeApiMall(row: ApiMallRow): Verdict {
  if (row.status === 'paused') return { health: 'DISABLED', healthReason: 'Its status is "paused".' };
  if (row.last_error) {
    const healthReason = 'A delivery error is recorded. API Mall does not say whether later deliveries succeeded.';
    return { health: 'FAILING', healthReason };
  }
  if (row.last_sent_at === null) return { health: 'IDLE', healthReason: 'No delivery was tried yet.' };
  const healthReason = `No delivery error is recorded; ${row.total_sent} succeeded and ${row.total_failed} failed.`;
  return { health: 'HEALTHY', healthReason };
}

/** The same for Diligent. */
export function judgeDiligent(row: DiligentRow): Verdict {
  const last = `the last delivery was answered with HTTP status ${row.last_delivery_status}.`;
  if (!row.is_active) return { health: 'DISABLED', healthReason: 'It is not active.' };
  if (row.status === 'failing') return { health: 'FAILING', healthReason: `Its status is "failing"; ${last}` };
  if (row.last_delivery_at === null) return { health: 'IDLE', healthReason: 'No delivery was tried yet.' };
  return { health: 'HEALTHY', healthReason: `Its status is "active"; ${last}` };
}
