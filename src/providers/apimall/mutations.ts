import { builder } from '../../schema/builder.ts';
import { createPayload, writeCost } from '../../schema/webhook-write.ts';
import { runWrite } from '../../schema/write.ts';
import type { WriteOutcome } from '../../schema/write-outcome.ts';
import { atSource } from '../../schema/write-place.ts';
import { planCreate } from '../../schema/write-plans.ts';
import { ApiMallWebhookType } from './graphql.ts';
import type { ApiMallWebhook } from './wire.ts';
import { create } from './writes.ts';

/** `upstreams.md` A7 and A4. */
const known = {
  names: ['job.completed', 'job.failed'],
  none: 'API Mall does not document what a webhook without events receives.',
};
/** The fields of the input by their names at API Mall. */
const fields = { url: 'url', events: 'events', secret_key: 'secretKey', api_key_id: 'apiKeyId' };

const ApiMallWebhookCreateInput = builder.inputType('ApiMallWebhookCreateInput', {
  description: 'A webhook to register at API Mall. A field that is null counts as left out.',
  fields: (t) => ({
    url: t.string({ required: true, description: 'Where events are to be sent: it must begin with https://.' }),
    events: t.stringList({
      required: true,
      description: 'The kinds of event to send. Documented are job.completed and job.failed.',
    }),
    secretKey: t.field({
      type: 'WebhookSecret',
      description: 'What deliveries are to be signed with. API Mall never says afterwards whether there is one.',
    }),
    apiKeyId: t.field({
      type: 'SafeInt',
      description: 'Id of the API key to bind it to, which must be the one that this graph asks with.',
    }),
  }),
});

const ApiMallWebhookCreatePayload = createPayload<WriteOutcome<ApiMallWebhook>>(
  'ApiMallWebhookCreatePayload',
  'What became of registering a webhook at API Mall.',
);

builder.objectField(ApiMallWebhookCreatePayload, 'webhook', (t) =>
  t.expose('webhook', {
    type: ApiMallWebhookType,
    description:
      'The webhook, at first without its counters. Where nobody knows whether it was created: the only one in the list with this URL and these events, whether new or not.',
  }),
);

builder.mutationField('createApiMallWebhook', (t) =>
  t.field({
    type: ApiMallWebhookCreatePayload,
    complexity: writeCost,
    description: 'Registers a webhook at API Mall: always another one, whatever there is.',
    args: { input: t.arg({ type: ApiMallWebhookCreateInput, required: true, description: 'The webhook.' }) },
    resolve(_root, { input }, context) {
      const { url, events, secretKey, apiKeyId } = input;
      return runWrite(context, atSource('create', 'apimall', context), ({ source }) =>
        planCreate<ApiMallWebhook>(source, {
          url,
          events,
          known,
          fields,
          send: (http, once = []) =>
            create(http, source.key, {
              url,
              events: once,
              secretKey: secretKey ?? undefined,
              apiKeyId: apiKeyId ?? undefined,
            }),
        }),
      );
    },
  }),
);
