import { createSnapshot, readRows } from '../../upstream/snapshot.ts';
import type { Provider } from '../provider.ts';
import { readDeliveries } from './deliveries.ts';
import { DiligentWebhookType } from './graphql.ts';
import './mutations.ts';
import { createSandbox } from './sandbox.ts';
import { type DiligentWebhook, explain, externalId, webhookReader } from './wire.ts';
import { create, redeliver, remove, update } from './writes.ts';

export const diligent: Provider<DiligentWebhook> = {
  key: 'diligent',
  enumValue: 'DILIGENT',
  name: 'Diligent',
  description:
    'Diligent AI (godiligent.ai): lists, creates, changes and deletes webhooks, at most ten; keeps a log of deliveries.',
  type: DiligentWebhookType,
  externalId,
  url: 'https://api.godiligent.ai',
  credentialHeader: 'x-diligent-api-key',
  authorization: (key) => ({ 'x-api-key': key }),
  operations: {
    list: (http, source) =>
      http.getJson('/webhooks', {
        // A list is a bare array (`upstreams.md` B2).
        read: (json) => (Array.isArray(json) ? createSnapshot(readRows(json, webhookReader(source))) : null),
        // Diligent names neither its errors nor its answers (`upstreams.md` B4, B5).
        problem: () => ({}),
        findVolatile: () => null,
      }),
    create,
    update,
    delete: remove,
    deliveries: readDeliveries,
    redeliver,
  },
  explain,
  sandbox: createSandbox,
};
