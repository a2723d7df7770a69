import { builder } from '../../schema/builder.ts';
import { createPayload, writeCost } from '../../schema/webhook-write.ts';
import { runWrite } from '../../schema/write.ts';
import type { Mistake } from '../../schema/write-input.ts';
import type { WriteOutcome } from '../../schema/write-outcome.ts';
import { atId, atSource } from '../../schema/write-place.ts';
import { planCreate, planUpdate } from '../../schema/write-plans.ts';
import { DiligentWebhookType } from './graphql.ts';
import type { DiligentWebhook } from './wire.ts';
import { create, update } from './writes.ts';

/** `upstreams.md` B7 and B4. */
const known = {
  names: [
    'cdd_state_changed',
    'monitoring_alert_fired',
    'cdd_document_fetched',
    'search_completed',
    'alert_remediated',
    'flow_run_completed',
    'flow_run_failed',
  ],
  none: 'A webhook without events receives nothing.',
};
/** The fields of the inputs by their names at Diligent. */
const fields = { webhook_url: 'url', events: 'events', is_active: 'isActive', secret: 'secret' };
/** `upstreams.md` B4. */
const mostWebhooks = 10;

const urlDescription = 'Where events are to be sent: it must begin with https://.';
const documented = `Documented are ${known.names.join(', ')}.`;

const DiligentWebhookCreateInput = builder.inputType('DiligentWebhookCreateInput', {
  description: 'A webhook to register at Diligent. A field that is null counts as left out.',
  fields: (t) => ({
    url: t.string({ required: true, description: urlDescription }),
    events: t.stringList({
      description: `The kinds of event to send: none if not given, and then nothing is sent. ${documented}`,
    }),
    isActive: t.boolean({ description: 'Whether it is to be switched on; so if not given.' }),
    secret: t.field({
      type: 'WebhookSecret',
      description: 'What deliveries are to be signed with; nothing if not given.',
    }),
  }),
});

const DiligentWebhookSecretInput = builder.inputType('DiligentWebhookSecretInput', {
  description: 'What is to become of the secret of a webhook: exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    keep: t.boolean({ description: 'True: it stays as it is, as without any of these.' }),
    remove: t.boolean({ description: 'True: deliveries are no longer signed.' }),
    set: t.field({ type: 'WebhookSecret', description: 'Deliveries are signed with this one from now on.' }),
  }),
});

const DiligentWebhookUpdateInput = builder.inputType('DiligentWebhookUpdateInput', {
  description:
    'What to change of a webhook at Diligent. What is left out stays as it is, and a field that is null counts as left out.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The `id` of the webhook.' }),
    url: t.string({ description: urlDescription }),
    events: t.stringList({
      description: `The kinds of event to send, in place of all that there are; with an empty list, nothing is sent. ${documented}`,
    }),
    isActive: t.boolean({ description: 'Whether it is to be switched on.' }),
    secret: t.field({ type: DiligentWebhookSecretInput, description: 'What is to become of its secret.' }),
  }),
});

const DiligentWebhookCreatePayload = createPayload<WriteOutcome<DiligentWebhook>>(
  'DiligentWebhookCreatePayload',
  'What became of registering a webhook at Diligent.',
);

builder.objectField(DiligentWebhookCreatePayload, 'webhook', (t) =>
  t.expose('webhook', {
    type: DiligentWebhookType,
    description:
      'The webhook. Where nobody knows whether it was created: the only one in the list with this URL and these events, whether new or not.',
  }),
);

const DiligentWebhookUpdatePayload = createPayload<WriteOutcome<DiligentWebhook>>(
  'DiligentWebhookUpdatePayload',
  'What became of changing a webhook at Diligent.',
);

builder.objectField(DiligentWebhookUpdatePayload, 'webhook', (t) =>
  t.expose('webhook', {
    type: DiligentWebhookType,
    description:
      'The webhook after the change. Where nobody knows whether it was made: as the list shows it now. Otherwise null.',
  }),
);

builder.mutationFields((t) => ({
  createDiligentWebhook: t.field({
    type: DiligentWebhookCreatePayload,
    complexity: writeCost,
    description: 'Registers a webhook at Diligent: always another one, and ten at most.',
    args: { input: t.arg({ type: DiligentWebhookCreateInput, required: true, description: 'The webhook.' }) },
    resolve(_root, { input }, context) {
      const { url } = input;
      const isActive = input.isActive ?? undefined;
      const secret = input.secret ?? undefined;
      return runWrite(context, atSource('create', 'diligent', context), ({ source }) =>
        planCreate<DiligentWebhook>(source, {
          url,
          events: input.events ?? undefined,
          known,
          fields,
          mostWebhooks,
          send: (http, events) => create(http, source.key, { url, events, isActive, secret }),
        }),
      );
    },
  }),
  updateDiligentWebhook: t.field({
    type: DiligentWebhookUpdatePayload,
    complexity: writeCost,
    description: 'Changes a webhook at Diligent.',
    args: { input: t.arg({ type: DiligentWebhookUpdateInput, required: true, description: 'What of which webhook.' }) },
    resolve(_root, { input }, context, info) {
      const url = input.url ?? undefined;
      const isActive = input.isActive ?? undefined;
      const secret = wantedSecret(input.secret);
      const place = atId('update', 'webhook', input.id, context, info, 'diligent');
      return runWrite(context, place, ({ source, externalId }) =>
        planUpdate<DiligentWebhook>(source, externalId, {
          url,
          events: input.events ?? undefined,
          mistakes: secretMistakes(input.secret),
          isAny: [url, input.events ?? undefined, isActive, secret].some((wanted) => wanted !== undefined),
          known,
          fields,
          send: (http, events) => update(http, source.key, externalId, { url, events, isActive, secret }),
        }),
      );
    },
  }),
}));

type SecretInput = Partial<Readonly<Record<'keep' | 'remove', boolean | null> & { set: string | null }>> | null;

/** Text, empty for none, undefined for what it is (`upstreams.md` B4). */
function wantedSecret(secret: SecretInput | undefined): string | undefined {
  return secret?.remove ? '' : (secret?.set ?? undefined);
}

function secretMistakes(secret: SecretInput | undefined): readonly Mistake[] {
  return (['keep', 'remove'] as const)
    .filter((name) => secret?.[name] === false)
    .map((name) => ({ field: ['secret', name], message: 'Must be true.' }));
}
