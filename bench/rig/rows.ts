/**
 * How the rows of an upstream move: never, all that were ever delivered at every request, or a tenth of them in turn.
 */
export const rowKinds = ['unchanged', 'changing', 'some'] as const;
export type RowKind = (typeof rowKinds)[number];

/** A list as bytes, and the places in it that move. All values keep their length, so that all answers have the same. */
export interface ListBody {
  readonly bytes: Buffer;
  /** For each row, where the digits of counters and times stand that move with each delivery; empty if it has none. */
  readonly movingPlaces: readonly (readonly Place[])[];
  /** Where the last digits of `request_id` stand; null where the provider has none. */
  readonly requestIdPlace: Place | null;
}

export interface Place {
  readonly offset: number;
  readonly kind: 'count' | 'time';
}

/** Of ten webhooks, one fails, one is switched off, one was never tried; the rest is well. Five have one of each. */
function stateOf(index: number): 'healthy' | 'failing' | 'disabled' | 'idle' {
  const states = { 2: 'failing', 3: 'disabled', 4: 'idle' } as const;
  return states[(index % 10) as keyof typeof states] ?? 'healthy';
}

const pad = (value: number, length: number) => String(value).padStart(length, '0');
/** Down to the hour, which never moves: what follows is `MM:SS.mmm`. */
const hourOf = (index: number) => `2026-03-${pad(1 + (index % 28), 2)}T${pad(index % 24, 2)}:`;
const hosts = ['hooks.acme.example', 'crm.globex.example', 'ops.umbrella.example', 'warehouse.soylent.example'];
const hostOf = (index: number) => hosts[index % hosts.length];

/** API Mall's list of `count` webhooks, every documented field of every row there (`GET /webhooks`). */
export function apimallList(count: number): ListBody {
  const rows = Array.from({ length: count }, (_none, index) => {
    const state = stateOf(index);
    const at = state === 'idle' ? null : `${hourOf(index)}00:00.000Z`;
    return JSON.stringify({
      id: 1000 + index,
      url: `https://${hostOf(index)}/apimall/${pad(index, 4)}/deliveries`,
      events: index % 3 === 0 ? ['job.failed'] : ['job.completed', 'job.failed'],
      status: state === 'disabled' ? 'paused' : 'active',
      api_key_id: 12 + (index % 5),
      total_sent: at === null ? 0 : 10_000_000,
      total_failed: state === 'failing' ? 57 : at === null ? 0 : index % 7,
      last_sent_at: at,
      last_error: state === 'failing' ? 'connect ETIMEDOUT' : null,
      created_at: '2026-01-10T08:05:00.000Z',
      updated_at: at ?? '2026-01-10T08:05:00.000Z',
    });
  });
  const moving = [
    { after: '"total_sent":1', kind: 'count' },
    { after: '"last_sent_at":"2026-03-00T00:', kind: 'time' },
    { after: '"updated_at":"2026-03-00T00:', kind: 'time' },
  ] as const;
  const head = '{"success":true,"data":[';
  const tail = '],"request_id":"req_01HQ9M7J7X9P7Y8T6W5';
  const end = '0000000"}';
  const text = `${head}${rows.join(',')}${tail}${end}`;
  const offset = text.length - end.length;
  return {
    bytes: Buffer.from(text),
    movingPlaces: findPlaces(rows, head.length, moving),
    requestIdPlace: { offset, kind: 'count' },
  };
}

/** Diligent's list of `count` webhooks, which is a bare array. */
export function diligentList(count: number): ListBody {
  const rows = Array.from({ length: count }, (_none, index) => {
    const state = stateOf(index);
    return JSON.stringify({
      id: `df89eb16-4c6a-439f-b668-7cca${pad(index, 8)}`,
      webhook_url: `https://${hostOf(index)}/diligent/${pad(index, 4)}/deliveries`,
      is_active: state !== 'disabled',
      has_secret: index % 2 === 0,
      status: state === 'healthy' || state === 'idle' ? 'active' : state,
      last_delivery_at: state === 'idle' ? null : `${hourOf(index)}00:00.000Z`,
      last_delivery_status: { healthy: 200, failing: 503, disabled: 200, idle: null }[state],
      events: index % 3 === 0 ? ['alert_remediated'] : ['cdd_state_changed', 'alert_remediated'],
    });
  });
  const moving = [{ after: '"last_delivery_at":"2026-03-00T00:', kind: 'time' }] as const;
  return {
    bytes: Buffer.from(`[${rows.join(',')}]`),
    movingPlaces: findPlaces(rows, 1, moving),
    requestIdPlace: null,
  };
}

interface Moving {
  readonly after: string;
  readonly kind: Place['kind'];
}

/** Where the moving digits of each row stand in a text of all rows with commas between, which begins at `start`. */
function findPlaces(rows: readonly string[], start: number, moving: readonly Moving[]): Place[][] {
  let offset = start;
  return rows.map((row) => {
    const rowOffset = offset;
    offset += row.length + 1;
    if (/"last_(sent|delivery)_at":null/.test(row)) return [];
    return moving.map(({ after, kind }) => {
      const name = after.slice(0, after.indexOf(':') + 1);
      return { offset: rowOffset + row.indexOf(name) + after.length, kind };
    });
  });
}

/** The digits that each kind of place shows after so many requests: seven, or nine as `MM:SS.mmm`. */
export function digitsOf(requests: number): Readonly<Record<Place['kind'], Buffer>> {
  const time = new Date(requests % 3_600_000).toISOString().slice(14, 23);
  return { count: Buffer.from(pad(requests % 10_000_000, 7)), time: Buffer.from(time) };
}
