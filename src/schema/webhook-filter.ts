import { builder } from './builder.ts';
import { WebhookHealth } from './webhook.ts';

/** See `src/filter.ts` for what the conditions do. */
export const WebhookFilter = builder.inputType('WebhookFilter', {
  description:
    'Conditions that must all hold; of a list, one member must. A condition that is null or left out restricts nothing, an empty list matches nothing.',
  fields: (t) => ({
    provider: t.field({ type: ['WebhookProvider'], description: 'Providers to ask. The others get no call.' }),
    source: t.stringList({ description: 'Keys of the sources to ask. The others get no call.' }),
    health: t.field({ type: [WebhookHealth], description: 'Verdicts.' }),
    enabled: t.boolean({ description: 'Whether events are sent. A webhook where that is unknown matches neither.' }),
    event: t.stringList({ description: "Kinds of event, in the provider's spelling." }),
    host: t.stringList({ description: 'Whole host names.' }),
    urlContains: t.string({ description: 'A part of the URL, in any case.' }),
    lastDeliveryAfter: t.field({
      type: 'DateTime',
      description: 'Latest delivery at this time or later. A webhook that was never tried does not match.',
    }),
    lastDeliveryBefore: t.field({
      type: 'DateTime',
      description: 'Latest delivery earlier than this time. A webhook that was never tried does not match.',
    }),
  }),
});
