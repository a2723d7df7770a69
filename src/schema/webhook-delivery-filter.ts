import { builder } from './builder.ts';
import { WebhookDeliveryStatusClass } from './webhook-delivery.ts';

/** See `src/delivery-log.ts` for what the conditions do. */
export const WebhookDeliveryFilter = builder.inputType('WebhookDeliveryFilter', {
  description:
    'Conditions that must all hold; of a list, one member must. A condition that is null or left out restricts nothing, an empty list matches nothing.',
  fields: (t) => ({
    succeeded: t.boolean({
      description: 'Whether the receiver took it. An attempt of which that is not said matches neither.',
    }),
    statusClass: t.field({ type: [WebhookDeliveryStatusClass], description: 'Classes of HTTP status.' }),
    event: t.stringList({ description: "Kinds of event, in the provider's spelling." }),
    attemptedAfter: t.field({
      type: 'DateTime',
      description: 'Tried at this time or later. An attempt without a time does not match.',
    }),
    attemptedBefore: t.field({
      type: 'DateTime',
      description: 'Tried earlier than this time. An attempt without a time does not match.',
    }),
  }),
});
