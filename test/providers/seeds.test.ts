import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { text } from '../support/upstream.ts';
import { readList } from './reading.ts';

// The documents' own bodies, byte for byte. The ids are written out: clients store them, so they never change.

function served(name: string, status = 200) {
  const body = readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url));
  return text(body, status, { 'content-type': 'application/json' });
}

const whole = { state: 'OK', error: null, rejectedCount: 0 };

// What can be done at a source is not said by its list.
const capabilities = expect.arrayContaining(['LIST']);
const apimall = {
  id: 'V2ViaG9va1NvdXJjZTphcGltYWxs',
  key: 'apimall',
  name: 'API Mall',
  provider: 'API_MALL',
  capabilities,
};
const diligent = {
  id: 'V2ViaG9va1NvdXJjZTpkaWxpZ2VudA',
  key: 'diligent',
  name: 'Diligent',
  provider: 'DILIGENT',
  capabilities,
};

test("reads API Mall's documented list whole", async () => {
  const { rows, report } = await readList('apimall', served('apimall-list'));
  expect(report).toMatchObject({ ...whole, itemCount: 1 });
  expect(rows).toEqual([
    {
      __typename: 'ApiMallWebhook',
      id: 'QXBpTWFsbFdlYmhvb2s6YXBpbWFsbDo4',
      provider: 'API_MALL',
      source: apimall,
      externalId: '8',
      url: 'https://your-app.example.com/api/webhooks/apimall',
      host: 'your-app.example.com',
      events: ['job.completed', 'job.failed'],
      status: 'active',
      enabled: true,
      health: 'HEALTHY',
      healthReason: 'No delivery error is recorded; 32 succeeded and 1 failed.',
      lastDelivery: { at: '2026-03-12T08:58:00.000Z', succeeded: null, httpStatus: null, error: null },
      secretConfigured: null,
      createdAt: '2026-03-10T08:05:00.000Z',
      updatedAt: '2026-03-12T08:58:00.000Z',
      apiKeyId: 12,
      totalSent: 32,
      totalFailed: 1,
      successRate: 32 / 33,
      lastSentAt: '2026-03-12T08:58:00.000Z',
      lastError: null,
    },
  ]);
});

test("reads Diligent's worked example whole", async () => {
  const { rows, report } = await readList('diligent', served('diligent-list'));
  expect(report).toMatchObject({ ...whole, itemCount: 2 });
  expect(rows).toEqual([
    {
      __typename: 'DiligentWebhook',
      id: 'RGlsaWdlbnRXZWJob29rOmRpbGlnZW50OmRmODllYjE2LTRjNmEtNDM5Zi1iNjY4LTdjY2EwY2Q3ODZmYQ',
      provider: 'DILIGENT',
      source: diligent,
      externalId: 'df89eb16-4c6a-439f-b668-7cca0cd786fa',
      url: 'https://crm.example.com/diligent',
      host: 'crm.example.com',
      events: ['cdd_state_changed', 'alert_remediated'],
      status: 'active',
      enabled: true,
      health: 'HEALTHY',
      healthReason: 'Its status is "active"; the last delivery was answered with HTTP status 200.',
      lastDelivery: { at: '2025-07-31T02:51:34.155Z', succeeded: true, httpStatus: 200, error: null },
      secretConfigured: true,
      createdAt: null,
      updatedAt: null,
      isActive: true,
      hasSecret: true,
      lastDeliveryAt: '2025-07-31T02:51:34.155Z',
      lastDeliveryStatus: 200,
    },
    {
      __typename: 'DiligentWebhook',
      id: 'RGlsaWdlbnRXZWJob29rOmRpbGlnZW50OjVhMWMwYjJlLTlmM2QtNGE3Yi04YzZkLTJlMWYwYTliOGM3ZA',
      provider: 'DILIGENT',
      source: diligent,
      externalId: '5a1c0b2e-9f3d-4a7b-8c6d-2e1f0a9b8c7d',
      url: 'https://warehouse.example.com/ingest',
      host: 'warehouse.example.com',
      events: ['search_completed'],
      status: 'disabled',
      enabled: false,
      health: 'DISABLED',
      healthReason: 'It is not active.',
      lastDelivery: null,
      secretConfigured: false,
      createdAt: null,
      updatedAt: null,
      isActive: false,
      hasSecret: false,
      lastDeliveryAt: null,
      lastDeliveryStatus: null,
    },
  ]);
});

test("reads Diligent's generated sample whole, with no status and a URL that is none", async () => {
  const { rows, report } = await readList('diligent', served('diligent-list-generated'));
  expect(report).toMatchObject({ ...whole, itemCount: 1 });
  expect(rows).toEqual([
    {
      __typename: 'DiligentWebhook',
      id: 'RGlsaWdlbnRXZWJob29rOmRpbGlnZW50OjxzdHJpbmc-',
      provider: 'DILIGENT',
      source: diligent,
      externalId: '<string>',
      url: '<string>',
      host: null,
      events: [],
      status: null,
      enabled: true,
      health: 'FAILING',
      healthReason: 'The last delivery was answered with HTTP status 123.',
      lastDelivery: { at: '2023-11-07T05:31:56.000Z', succeeded: false, httpStatus: 123, error: null },
      secretConfigured: true,
      createdAt: null,
      updatedAt: null,
      isActive: true,
      hasSecret: true,
      lastDeliveryAt: '2023-11-07T05:31:56.000Z',
      lastDeliveryStatus: 123,
    },
  ]);
});

test("reads API Mall's documented error", async () => {
  const { rows, report } = await readList('apimall', served('apimall-unauthorized', 401));
  expect(rows).toEqual([]);
  expect(report).toMatchObject({ state: 'FAILED', itemCount: 0, rejectedCount: 0, fetchedAt: null });
  expect(report.error).toEqual({
    code: 'UNAUTHORIZED',
    message: 'The provider did not accept the key.',
    retryable: false,
    httpStatus: 401,
    retryAfterMs: null,
    providerCode: 'unauthorized',
    providerRequestId: 'req_01HQ9M7J7X9P7Y8T6W5V4U3S2R',
  });
});
