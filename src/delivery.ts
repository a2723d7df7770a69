import { encodeId } from './webhook.ts';

/**
 * One attempt to deliver an event, as a provider's log shows it. Times are ISO 8601 in UTC with milliseconds, so that they
 * compare as text; null is "not said".
 */
export interface Delivery {
  /** The global id, see `encodeDeliveryId`. */
  readonly id: string;
  /** Key of the source that it was read from. */
  readonly source: string;
  /** The provider's own id of the webhook. */
  readonly webhookId: string;
  /** The provider's own id of the event; an event that was sent again may have it twice. */
  readonly externalId: string;
  readonly event: string | null;
  readonly at: string | null;
  readonly httpStatus: number | null;
  readonly succeeded: boolean | null;
  /** What was sent, and what came back: to be shown only to whom payloads are shown. */
  readonly request: DeliveryMessage | null;
  readonly response: DeliveryMessage | null;
}

/** One side of a delivery. */
export interface DeliveryMessage {
  /** Without those that sign or authenticate. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** As text; JSON where the provider logs it as a value. null where there is none. */
  readonly body: string | null;
  /** The body is longer than what is shown of it. */
  readonly isCut: boolean;
}

/** The parts of a delivery's id, in the provider's own ids. */
export interface DeliveryIdParts {
  readonly webhookId: string;
  readonly externalId: string;
}

/** The type that a delivery's id begins with. */
export const deliveryTypename = 'WebhookDelivery';

/**
 * base64url of `WebhookDelivery:source:webhook/event/time`, the last three escaped as in a URL. The time is part of it, as
 * two attempts may be of one event (`upstreams.md` B6).
 */
export function encodeDeliveryId(source: string, webhookId: string, externalId: string, at: string | null): string {
  return encodeId(deliveryTypename, source, [webhookId, externalId, at ?? ''].map(encodeURIComponent).join('/'));
}

/** Takes the last part of a delivery's id apart; null for what `encodeDeliveryId` would not have written so. */
export function readDeliveryId(text: string): DeliveryIdParts | null {
  const [webhookId, externalId, at, ...rest] = text.split('/').map(decodeOrNull);
  if (!webhookId || !externalId || at == null || rest.length > 0) return null;
  return [webhookId, externalId, at].map(encodeURIComponent).join('/') === text ? { webhookId, externalId } : null;
}

function decodeOrNull(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
