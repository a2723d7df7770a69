import { builder } from '../../schema/builder.ts';
import { Node } from '../../schema/node.ts';
import { WebhookInterface } from '../../schema/webhook.ts';
import { addDeliveryLog } from '../../schema/webhook-deliveries.ts';
import type { DiligentWebhook } from './wire.ts';

export const DiligentWebhookType = builder.objectRef<DiligentWebhook>('DiligentWebhook').implement({
  description: 'A webhook at Diligent, with what it says of the latest delivery and its log of recent ones.',
  interfaces: [Node, WebhookInterface],
  fields: (t) => ({
    isActive: t.exposeBoolean('isActive', { description: 'Whether it is switched on.' }),
    hasSecret: t.exposeBoolean('hasSecret', {
      description: 'Whether a signing secret is set. The secret is never shown.',
    }),
    lastDeliveryAt: t.expose('lastDeliveryAt', {
      type: 'DateTime',
      description: 'The latest attempt, successful or not.',
    }),
    lastDeliveryStatus: t.exposeInt('lastDeliveryStatus', {
      description: 'The HTTP status that the receiver answered the latest attempt with.',
    }),
  }),
});

addDeliveryLog(DiligentWebhookType);
