import type { Provider } from '../provider.ts';
import { ApiMallWebhookType } from './graphql.ts';
import { list } from './list.ts';
import './mutations.ts';
import { createSandbox } from './sandbox.ts';
import { type ApiMallWebhook, explain, externalId } from './wire.ts';
import { create, remove } from './writes.ts';

export const apimall: Provider<ApiMallWebhook> = {
  key: 'apimall',
  enumValue: 'API_MALL',
  name: 'API Mall',
  description: 'API Mall (apimall.ai): lists, creates and deletes webhooks; counts deliveries, keeps no log of them.',
  type: ApiMallWebhookType,
  externalId,
  url: 'https://gateway.apimall.ai/api/v1',
  credentialHeader: 'x-apimall-api-key',
  authorization: (key) => ({ authorization: `Bearer ${key}` }),
  operations: { list, create, delete: remove },
  explain,
  sandbox: createSandbox,
};
