import { builder } from '../../schema/builder.ts';
import { Node } from '../../schema/node.ts';
import { WebhookInterface } from '../../schema/webhook.ts';
import { type ApiMallWebhook, successRate } from './wire.ts';

export const ApiMallWebhookType = builder.objectRef<ApiMallWebhook>('ApiMallWebhook').implement({
  description: 'A webhook at API Mall, with its counters.',
  interfaces: [Node, WebhookInterface],
  fields: (t) => ({
    apiKeyId: t.expose('apiKeyId', { type: 'SafeInt', description: 'Id of the API key that it is bound to.' }),
    totalSent: t.expose('totalSent', { type: 'SafeInt', description: 'Deliveries that succeeded.' }),
    totalFailed: t.expose('totalFailed', { type: 'SafeInt', description: 'Deliveries that failed.' }),
    successRate: t.float({
      description:
        '`totalSent` as a part of both counters, 0 to 1; null before the first delivery, and where one of them is missing.',
      resolve: successRate,
    }),
    lastSentAt: t.expose('lastSentAt', { type: 'DateTime', description: 'The latest attempt, successful or not.' }),
    lastError: t.exposeString('lastError', {
      description: 'The most recent error on record, at most 1000 characters. Later deliveries may have succeeded.',
    }),
  }),
});
