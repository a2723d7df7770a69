import { z } from 'zod';
import { type Delivery, encodeDeliveryId } from '../../delivery.ts';
import { SourceError } from '../../errors.ts';
import type { Http } from '../../upstream/calls.ts';
import { createSnapshot, readRows, type Snapshot } from '../../upstream/snapshot.ts';
import { readMessage, type WireMessage } from '../delivery-message.ts';
import { isObject, isoTime, maybeText, shownText, WireId } from '../wire.ts';
import { isSuccess, statusCode, WireList } from './wire.ts';

/** Only the id is needed: everything else may be missing, or of another type than documented (`upstreams.md` B6). */
const WireDelivery = z.object({
  id: WireId,
  webhook_id: z.unknown().optional(),
  event_type: z.unknown().optional(),
  timestamp: z.unknown().optional(),
  status_code: z.unknown().optional(),
  request: z.unknown().optional(),
  response: z.unknown().optional(),
});

/** Of a longer log, the rest is left out: one request may read twenty of them. How long they are is not documented (`upstreams.md` B6). */
const mostDeliveries = 5000;
const tooLong = new SourceError('TOO_LARGE', {
  message: `The log has more than ${mostDeliveries} deliveries: older ones are left out.`,
});

/** Reads the log of one webhook. Nothing of it is kept: payloads can hold personal data (`upstreams.md` B6). */
export async function readDeliveries(http: Http, source: string, webhookId: string): Promise<Snapshot<Delivery>> {
  return await http.getJson(logPath(webhookId), {
    read(json) {
      const { data } = WireList.safeParse(json);
      if (!data) return null;
      const newest = data.slice(0, mostDeliveries);
      const rows = readRows(newest, (row) => readDelivery(row, source, webhookId));
      return createSnapshot(rows, newest.length < data.length ? tooLong.fault : null);
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

/** One row of the log of `webhookId`; null where its id cannot be read, or where it says that it is of another webhook. */
function readDelivery(row: unknown, source: string, webhookId: string): Delivery | null {
  const { data: wire } = WireDelivery.safeParse(row);
  if (!wire) return null;
  // It is missing from the worked sample: then the path says which webhook it is.
  const { data: named } = WireId.safeParse(wire.webhook_id);
  if (named !== undefined && shownText(String(named)) !== webhookId) return null;
  const externalId = shownText(String(wire.id));
  const at = isoTime(wire.timestamp);
  const httpStatus = statusCode(wire.status_code) ?? null;
  const sent = sideOf(wire.request, 'payload');
  const came = sideOf(wire.response, 'body');
  return {
    id: encodeDeliveryId(source, webhookId, externalId, at),
    source,
    webhookId,
    externalId,
    event: maybeText(wire.event_type),
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
