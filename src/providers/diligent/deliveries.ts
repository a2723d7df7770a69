import { type Delivery, encodeDeliveryId } from '../../delivery.ts';
import { SourceError } from '../../source-error.ts';
import type { Http } from '../../upstream/calls.ts';
import { createSnapshot, readRows, type Snapshot } from '../../upstream/snapshot.ts';
import { readMessage, type WireMessage } from '../delivery-message.ts';
import { isObject, isoTime, maybeId, maybeText } from '../wire.ts';
import { isSuccess, statusCode } from './wire.ts';

/** Of a longer log, the rest is left out: one request may read twenty of them. How long they are is not documented (`upstreams.md` B6). */
const mostDeliveries = 5000;
const tooLong = new SourceError('TOO_LARGE', {
  message: `The log has more than ${mostDeliveries} deliveries: older ones are left out.`,
});

/** Reads the log of one webhook. Nothing of it is kept: payloads can hold personal data (`upstreams.md` B6). */
export async function readDeliveries(http: Http, source: string, webhookId: string): Promise<Snapshot<Delivery>> {
  return await http.getJson(logPath(webhookId), {
    read(json) {
      if (!Array.isArray(json)) return null;
      const newest = json.slice(0, mostDeliveries);
      const rows = readRows(newest, (row) => readDelivery(row, source, webhookId));
      return createSnapshot(rows, newest.length < json.length ? tooLong.fault : null);
    },
    // Of errors no body is documented here (`upstreams.md` B5).
    problem: () => ({}),
    findVolatile: null,
  });
}

function logPath(webhookId: string): string {
  // Escaped or not, these two would climb.
  if (webhookId === '.' || webhookId === '..') throw new SourceError('NOT_FOUND');
  return `/webhooks/${encodeURIComponent(webhookId)}/events`;
}

/**
 * One row of the log of `webhookId`; null where its id cannot be read, or where it says that it is of another webhook. Everything
 * else may be missing, or of another type than documented (`upstreams.md` B6).
 */
function readDelivery(row: unknown, source: string, webhookId: string): Delivery | null {
  if (!isObject(row)) return null;
  const externalId = maybeId(row.id);
  // It is missing from the worked sample: then the path says which webhook it is.
  const named = maybeId(row.webhook_id) ?? webhookId;
  if (externalId === null || named !== webhookId) return null;
  const at = isoTime(row.timestamp);
  const httpStatus = statusCode(row.status_code) ?? null;
  const sent = sideOf(row.request, 'payload');
  const came = sideOf(row.response, 'body');
  return {
    id: encodeDeliveryId(source, webhookId, externalId, at),
    source,
    webhookId,
    externalId,
    event: maybeText(row.event_type),
    at,
    httpStatus,
    succeeded: isSuccess(httpStatus),
    // Made where they are shown, which is seldom.
    get request() {
      return readMessage(sent, came);
    },
    get response() {
      return readMessage(came, sent);
    },
  };
}

function sideOf(wire: unknown, bodyName: string): WireMessage | null {
  return isObject(wire) ? { headers: wire.headers, body: wire[bodyName] } : null;
}
