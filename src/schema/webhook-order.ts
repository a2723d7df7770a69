import { builder } from './builder.ts';

const mayMove = 'The value changes over time: a row may move between two pages of a walk.';

const WebhookOrderField = builder.enumType('WebhookOrderField', {
  description: 'What webhooks can be ordered by. Webhooks without the value come last in either direction.',
  values: {
    URL: { description: 'The URL, as text.' },
    LAST_DELIVERY_AT: { description: `The time of the latest delivery. ${mayMove}` },
    CREATED_AT: { description: 'The time of registration.' },
    HEALTH: { description: `The verdict; ascending is FAILING, UNKNOWN, IDLE, DISABLED, HEALTHY. ${mayMove}` },
    PROVIDER: { description: 'The name of the provider in the enum `WebhookProvider`.' },
  } as const,
});

const WebhookOrderDirection = builder.enumType('WebhookOrderDirection', {
  description: 'Which end of an order comes first.',
  values: {
    ASC: { description: 'Smallest, earliest or worst first.' },
    DESC: { description: 'Largest, latest or best first.' },
  } as const,
});

/** See `src/order.ts` for how rows compare. */
export const WebhookOrder = builder.inputType('WebhookOrder', {
  description: 'An order of webhooks. Equal values are ordered by source, then by id.',
  fields: (t) => ({
    field: t.field({ type: WebhookOrderField, defaultValue: 'URL', description: 'What to order by.' }),
    direction: t.field({ type: WebhookOrderDirection, defaultValue: 'ASC', description: 'Which end comes first.' }),
  }),
});
