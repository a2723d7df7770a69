import type { Delivery, DeliveryMessage } from '../delivery.ts';
import { type StatusClass, statusClasses, statusClassOf } from '../delivery-log.ts';
import { builder } from './builder.ts';

const classDescriptions: Record<StatusClass, string> = {
  INFORMATIONAL: 'From 100 to 199.',
  SUCCESSFUL: 'From 200 to 299: the receiver took it.',
  REDIRECTION: 'From 300 to 399.',
  CLIENT_ERROR: 'From 400 to 499.',
  SERVER_ERROR: 'From 500 to 599.',
  UNKNOWN: 'Another number, or none: the provider does not say whether the receiver answered at all.',
};

export const WebhookDeliveryStatusClass = builder.enumType('WebhookDeliveryStatusClass', {
  description: 'The classes of HTTP status that a receiver answers with (RFC 9110, 15).',
  values: Object.fromEntries(statusClasses.map((name) => [name, { description: classDescriptions[name] }])) as Record<
    StatusClass,
    { description: string }
  >,
});

/** Text of any length counts for more than a word. */
const costOfMessage = { field: 20, multiplier: 1 };

const WebhookDeliveryHeader = builder.objectRef<DeliveryMessage['headers'][number]>('WebhookDeliveryHeader').implement({
  description: 'A header of a message. Those that sign or authenticate are left out.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'Its name, as logged.' }),
    value: t.exposeString('value', { nullable: false, description: 'Its value; several are in a row, with commas.' }),
  }),
});

const WebhookDeliveryMessage = builder.objectRef<DeliveryMessage>('WebhookDeliveryMessage').implement({
  description: 'What was sent to a receiver, or what it answered.',
  fields: (t) => ({
    headers: t.expose('headers', {
      type: [WebhookDeliveryHeader],
      nullable: false,
      description: 'Its headers, without those that sign or authenticate.',
    }),
    body: t.exposeString('body', {
      description:
        'Its body as text, at most 16384 characters; JSON where the provider logs a value. Null if there is none.',
    }),
    truncated: t.exposeBoolean('isCut', {
      nullable: false,
      description: 'Whether there is more of the body than this.',
    }),
  }),
});

const payloadNote =
  'Needs DELIVERY_PAYLOADS=on and, where callers have tokens, the scope `webhooks:payloads`: without, the whole operation is refused.';

/** One attempt to deliver, the same type for every provider that keeps a log. */
export const WebhookDelivery = builder.objectRef<Delivery>('WebhookDelivery').implement({
  description: 'One attempt to deliver an event, as the provider logged it. What it does not say is null.',
  fields: (t) => ({
    id: t.exposeID('id', {
      nullable: false,
      description:
        'Globally unique, and always the same. It is for caches and for sending again; `node` does not take it.',
    }),
    externalId: t.exposeString('externalId', {
      nullable: false,
      description:
        "The provider's own id of the event; Diligent's receivers see it as `X-Event-Id`. Two attempts may be of one event.",
    }),
    event: t.exposeString('event', { description: "The kind of event, in the provider's spelling." }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was tried.' }),
    httpStatus: t.exposeInt('httpStatus', { description: 'The HTTP status of the receiver.' }),
    statusClass: t.field({
      type: WebhookDeliveryStatusClass,
      nullable: false,
      description: 'The class of that status.',
      resolve: statusClassOf,
    }),
    succeeded: t.exposeBoolean('succeeded', {
      description: 'Whether the receiver took it, which is a status from 200 to 299; null where no status is said.',
    }),
    request: t.expose('request', {
      type: WebhookDeliveryMessage,
      complexity: costOfMessage,
      extensions: { scope: 'webhooks:payloads' },
      description: `What was sent. ${payloadNote}`,
    }),
    response: t.expose('response', {
      type: WebhookDeliveryMessage,
      complexity: costOfMessage,
      extensions: { scope: 'webhooks:payloads' },
      description: `What the receiver answered. ${payloadNote}`,
    }),
  }),
});
