import type { FailureSummary } from '../delivery-log.ts';
import { builder } from './builder.ts';
import { WebhookDeliveryStatusClass } from './webhook-delivery.ts';

/** Not a list of rows: there are as many as classes. */
const sixClasses = { field: 1, multiplier: 6 };

const WebhookDeliveryStatusClassCount = builder
  .objectRef<FailureSummary['statusClasses'][number]>('WebhookDeliveryStatusClassCount')
  .implement({
    description: 'How many attempts were answered with a class of HTTP status.',
    fields: (t) => ({
      statusClass: t.expose('statusClass', {
        type: WebhookDeliveryStatusClass,
        nullable: false,
        description: 'The class.',
      }),
      count: t.exposeInt('count', { nullable: false, description: 'How many were answered so.' }),
    }),
  });

export const WebhookFailureSummary = builder.objectRef<FailureSummary>('WebhookFailureSummary').implement({
  description:
    'Why a webhook fails, as far back as its log of deliveries reaches. `health` rests on the list of webhooks, and not on this.',
  fields: (t) => ({
    attempts: t.exposeInt('attempts', { nullable: false, description: 'Attempts in the log.' }),
    consecutiveFailures: t.exposeInt('consecutiveFailures', {
      nullable: false,
      description:
        'Attempts that failed since the last one that succeeded. One of which it is not said how it ended neither counts nor ends the run.',
    }),
    firstFailedAt: t.expose('firstFailedAt', {
      type: 'DateTime',
      description: 'When the first of these was tried; null if there is none.',
    }),
    reachesBeyondLog: t.exposeBoolean('reachesBeyondLog', {
      nullable: false,
      description: 'Whether attempts in the log failed and none succeeded, so that the run may be longer than the log.',
    }),
    lastSucceededAt: t.expose('lastSucceededAt', {
      type: 'DateTime',
      description: 'The latest attempt in the log that succeeded.',
    }),
    lastFailedAt: t.expose('lastFailedAt', { type: 'DateTime', description: 'The latest that failed.' }),
    statusClasses: t.expose('statusClasses', {
      type: [WebhookDeliveryStatusClassCount],
      nullable: false,
      complexity: sixClasses,
      description: 'All attempts in the log by class of HTTP status: every class once.',
    }),
  }),
});
