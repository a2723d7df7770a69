import type { RequestSource } from '../request-source.ts';
import { builder } from './builder.ts';
import { WebhookInterface } from './webhook.ts';
import { createPayload, writeCost } from './webhook-write.ts';
import { runWrite } from './write.ts';
import type { WriteOutcome } from './write-outcome.ts';
import { atId } from './write-place.ts';
import { seeLog, seeOne } from './write-sight.ts';

builder.mutationType({
  description:
    'Everything that can be changed, one after the other in the order of the operation. Each is done once or not at all, and never tried again.',
});

interface Deletion extends WriteOutcome {
  readonly deletedId: string | null;
}

const WebhookDeletePayload = createPayload<Deletion>('WebhookDeletePayload', 'What became of deleting a webhook.');

builder.objectFields(WebhookDeletePayload, (t) => ({
  deletedId: t.exposeID('deletedId', { description: 'The id of the webhook; null where it was not deleted.' }),
  webhook: t.expose('webhook', {
    type: WebhookInterface,
    description:
      'The webhook as the list shows it now, where nobody knows whether it was deleted; null where it is gone or was not touched.',
  }),
}));

const WebhookDeleteInput = builder.inputType('WebhookDeleteInput', {
  description: 'Which webhook to delete.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The `id` of the webhook.' }) }),
});

builder.mutationField('deleteWebhook', (t) =>
  t.field({
    type: WebhookDeletePayload,
    complexity: writeCost,
    description:
      'Deletes a webhook, at whichever provider it is. One that is not there, be it that it was deleted before, is NOT_FOUND.',
    args: { input: t.arg({ type: WebhookDeleteInput, required: true, description: 'Which one.' }) },
    async resolve(_root, { input: { id } }, context, info) {
      const place = atId('delete', 'webhook', id, context, info);
      const outcome = await runWrite(context, place, ({ source, externalId }) => ({
        ...simple,
        send: (http) => operationOf(source, 'delete')(http, externalId),
        look: () => seeOne(source, externalId),
      }));
      return { ...outcome, deletedId: outcome.userErrors.length === 0 ? id : null };
    },
  }),
);

interface Redelivery extends WriteOutcome {
  /** null where nothing can have changed. */
  readonly about: { readonly source: RequestSource; readonly webhookId: string } | null;
}

const WebhookDeliveryRedeliverPayload = createPayload<Redelivery>(
  'WebhookDeliveryRedeliverPayload',
  'What became of sending a delivery again.',
);

builder.objectField(WebhookDeliveryRedeliverPayload, 'webhook', (t) =>
  t.field({
    type: WebhookInterface,
    description:
      'The webhook that the delivery is of, read after the request to send it; null where that was refused. When the delivery shows up in its log, and whether under the same id, the provider does not say.',
    resolve: ({ about }) => about?.source.load(about.webhookId),
  }),
);

const WebhookDeliveryRedeliverInput = builder.inputType('WebhookDeliveryRedeliverInput', {
  description: 'Which delivery to send again.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The `id` of the delivery.' }) }),
});

builder.mutationField('redeliverWebhookDelivery', (t) =>
  t.field({
    type: WebhookDeliveryRedeliverPayload,
    complexity: writeCost,
    description:
      'Asks the provider to send the event of a delivery again. Without errors it was started: whether it arrives, the log of deliveries shows later.',
    args: { input: t.arg({ type: WebhookDeliveryRedeliverInput, required: true, description: 'Which one.' }) },
    async resolve(_root, { input: { id } }, context, info) {
      const place = atId('redeliver', 'delivery', id, context, info);
      let about: Redelivery['about'] = null;
      const outcome = await runWrite(context, place, ({ source, delivery }) => {
        about = { source, webhookId: delivery.webhookId };
        return {
          ...simple,
          send: (http) => operationOf(source, 'redeliver')(http, delivery),
          look: () => seeLog(source, delivery.webhookId),
        };
      });
      const [error] = outcome.userErrors;
      return { ...outcome, about: !error || error.code === 'OUTCOME_UNKNOWN' ? about : null };
    },
  }),
);

/** What `place.find` has found the provider to have. */
function operationOf<N extends 'delete' | 'redeliver'>({ key, provider }: RequestSource, name: N) {
  const operation = provider.operations[name];
  if (!operation) throw new Error(`${key} cannot ${name}.`);
  return operation;
}

/** The plan of a write that has no input but an id, and whose answer shows nothing. */
const simple = {
  mistakes: [],
  warnings: [],
  fields: {},
  show: async () => ({ webhook: null, warnings: [] }),
};
