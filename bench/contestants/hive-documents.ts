/** The two list routes in OpenAPI, as far as the stub has them. */

const text = { type: 'string' };
const texts = { type: 'array', items: text };
const integer = { type: 'integer' };
const flag = { type: 'boolean' };

function documentOf(operationId: string, title: string, properties: object, inEnvelope: boolean) {
  const rows = { type: 'array', items: { type: 'object', title, properties } };
  const envelope = {
    type: 'object',
    title: `${title}Envelope`,
    properties: { success: flag, data: rows, request_id: text },
  };
  const schema = inEnvelope ? envelope : rows;
  const responses = { 200: { description: 'The webhooks', content: { 'application/json': { schema } } } };
  return {
    openapi: '3.1.0',
    info: { title, version: '1' },
    paths: { '/webhooks': { get: { operationId, responses } } },
  };
}

export const apimallDocument = documentOf(
  'apimallWebhooks',
  'ApiMallRow',
  {
    id: integer,
    url: text,
    events: texts,
    status: text,
    api_key_id: integer,
    total_sent: integer,
    total_failed: integer,
    last_sent_at: text,
    last_error: text,
    created_at: text,
    updated_at: text,
  },
  true,
);

export const diligentDocument = documentOf(
  'diligentWebhooks',
  'DiligentRow',
  {
    id: text,
    webhook_url: text,
    is_active: flag,
    has_secret: flag,
    status: text,
    last_delivery_at: text,
    last_delivery_status: integer,
    events: texts,
  },
  false,
);
