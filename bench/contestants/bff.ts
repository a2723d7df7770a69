import { createServer, type IncomingMessage } from 'node:http';
import { Pool } from 'undici';
import { queries } from '../query.ts';
import { environment } from './environment.ts';
import { type ApiMallRow, type DiligentRow, globalId, judgeApiMall, judgeDiligent } from './webhook.ts';

/** What all others are compared with: written by hand for these two queries, without GraphQL, and without any guard. */

const { apimall, diligent, port } = environment;
const apimallPool = new Pool(new URL(apimall.url).origin);
const diligentPool = new Pool(new URL(diligent.url).origin);
const apimallCall = {
  path: `${new URL(apimall.url).pathname}/webhooks`,
  method: 'GET',
  headers: { authorization: `Bearer ${apimall.key}` },
} as const;
const diligentCall = {
  path: `${new URL(diligent.url).pathname}/webhooks`,
  method: 'GET',
  headers: { 'x-api-key': diligent.key },
} as const;

const readApimall = async () => ((await readJson(apimallPool, apimallCall)) as { data: ApiMallRow[] }).data;
const readDiligent = async () => (await readJson(diligentPool, diligentCall)) as DiligentRow[];

async function readJson(pool: Pool, call: typeof apimallCall | typeof diligentCall): Promise<unknown> {
  const { statusCode, body } = await pool.request(call);
  if (statusCode !== 200) throw new Error(`The upstream answered ${statusCode}.`);
  return await body.json();
}

function apimallNode(row: ApiMallRow, withReason: boolean) {
  const { health, healthReason } = judgeApiMall(row);
  return {
    id: globalId('ApiMallWebhook', 'apimall', row.id),
    url: row.url,
    events: row.events,
    health,
    enabled: row.status === 'active',
    lastDelivery: row.last_sent_at === null ? null : { at: row.last_sent_at },
    apiKeyId: row.api_key_id,
    totalSent: row.total_sent,
    totalFailed: row.total_failed,
    lastSentAt: row.last_sent_at,
    lastError: row.last_error,
    healthReason: withReason ? healthReason : undefined,
  };
}

function diligentNode(row: DiligentRow, withReason: boolean) {
  const { health, healthReason } = judgeDiligent(row);
  return {
    id: globalId('DiligentWebhook', 'diligent', row.id),
    url: row.webhook_url,
    events: row.events,
    health,
    enabled: row.is_active,
    lastDelivery: row.last_delivery_at === null ? null : { at: row.last_delivery_at },
    isActive: row.is_active,
    hasSecret: row.has_secret,
    lastDeliveryAt: row.last_delivery_at,
    lastDeliveryStatus: row.last_delivery_status,
    healthReason: withReason ? healthReason : undefined,
  };
}

async function answer(body: string): Promise<object> {
  const { query } = JSON.parse(body) as { query: string };
  const withReason = query === queries.report;
  const [apimallRows, diligentRows] = await Promise.all([readApimall(), readDiligent()]);
  const nodes: object[] = [];
  for (const row of apimallRows) nodes.push(apimallNode(row, withReason));
  for (const row of diligentRows) nodes.push(diligentNode(row, withReason));
  if (!withReason) return { data: { webhooks: { nodes } } };
  const sources = [apimallRows, diligentRows].map((rows) => ({ state: 'OK', itemCount: rows.length }));
  return { data: { webhooks: { nodes, complete: true, sources } } };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

createServer(async (request, response) => {
  try {
    const bytes = Buffer.from(JSON.stringify(await answer(await readText(request))));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
  } catch {
    response.writeHead(502).end();
  }
}).listen(port, '127.0.0.1');
