import type { IncomingMessage } from 'node:http';
import type { Clock, Sandbox } from '../provider.ts';
import { isObject, listenWith, type Reply, readPath, readSentBody } from '../sandbox-http.ts';
import { createdRow, idleRow, keyId, type Row, seed, shownAt, type WireRow } from './sandbox-rows.ts';

/** The two forms that the documents allow for `data` of a list: all rows, or `{items, page, limit}`. */
export type ListForm = 'array' | 'page';

/** What goes into the envelope, and the status that it goes out with. */
type Outcome = readonly [status: number, body: { readonly data: unknown } | { readonly error: Problem }];

interface Problem {
  readonly code: string;
  readonly message: string;
}

const path = '/api/v1';
const key = 'sk-sandbox-apimall';

// Get-one and update are not offered (A6), and no status for a wrong method is documented.
const nowhere = failure(404, 'not_found', 'Resource not found');

/** Stands in for the gateway host: lists, creates and deletes. A webhook that was made here stays without deliveries. */
export function createSandbox(clock: Clock, form: ListForm = 'array'): Sandbox {
  let rows: readonly Row[] = seed;
  let lastId = Math.max(...seed.map(({ wire }) => wire.id));
  let serial = 0;

  async function answer(request: IncomingMessage): Promise<Reply> {
    const [status, body] = await decide(request);
    serial += 1;
    const request_id = `req_01HQ9M7J7X${serial.toString(36).toUpperCase().padStart(16, '0')}`;
    return { status, body: { success: 'data' in body, ...body, request_id } };
  }

  async function decide(request: IncomingMessage): Promise<Outcome> {
    if (request.headers.authorization !== `Bearer ${key}`) return failure(401, 'unauthorized', 'Unauthorized');
    const [resource, id, ...more] = readPath(request, path) ?? [];
    if (resource !== 'webhooks' || more.length > 0) return nowhere;
    if (request.method === 'GET' && id === undefined) return list(request);
    if (request.method === 'POST' && id === undefined) return create(await readJson(request));
    return request.method === 'DELETE' && id !== undefined ? remove(id) : nowhere;
  }

  function list({ url = '' }: IncomingMessage): Outcome {
    const now = clock();
    const shown = rows.map((row) => shownAt(now, row));
    return [200, { data: form === 'array' ? shown : pageOf(shown, new URLSearchParams(url.split('?', 2)[1])) }];
  }

  // The status of success is cut off in the documents; 200 as on all of their other pages. Of the secret nothing is kept.
  function create(body: unknown): Outcome {
    const wrong = isObject(body) ? wrongIn(body) : 'The body must be a JSON object';
    if (wrong !== null) return invalid(wrong);
    const { url, events } = body as Pick<WireRow, 'url' | 'events'>;
    lastId += 1;
    const data = createdRow(lastId, url, events, clock());
    rows = [...rows, idleRow(data)];
    return [200, { data }];
  }

  function remove(text: string): Outcome {
    if (!/^-?\d+$/.test(text)) return invalid('id must be an integer');
    const id = Number(text);
    if (!rows.some(({ wire }) => wire.id === id)) return failure(404, 'not_found', 'Webhook not found');
    rows = rows.filter(({ wire }) => wire.id !== id);
    return [200, { data: { id } }];
  }

  return { path, key, listener: listenWith(answer) };
}

/** The body of a create, undefined where it is no JSON, said to be something else (A4), or too large. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const sent = await readSentBody(request);
  const isJson = /^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '');
  return isJson && typeof sent === 'object' ? sent.json : undefined;
}

/** What is wrong with the body of a create by the rules of A4, null where nothing is. What they do not name is let through. */
function wrongIn({ url, events, secret_key, api_key_id }: Readonly<Record<string, unknown>>): string | null {
  const isHttps = typeof url === 'string' && URL.canParse(url) && new URL(url).protocol === 'https:';
  if (!isHttps) return 'url must be an https URL';
  const isTexts = Array.isArray(events) && events.every((event) => typeof event === 'string');
  if (!isTexts) return 'events must be an array of strings';
  if (secret_key !== undefined && typeof secret_key !== 'string') return 'secret_key must be a string';
  if (api_key_id !== undefined && api_key_id !== keyId) return 'api_key_id must be the id of the calling key';
  return null;
}

/** The documents show no code word for a 400. */
function invalid(message: string): Outcome {
  return failure(400, 'invalid_request', message);
}

function failure(status: number, code: string, message: string): Outcome {
  return [status, { error: { code, message } }];
}

function pageOf(rows: readonly WireRow[], query: URLSearchParams): object {
  const page = Math.max(1, Number.parseInt(query.get('page') ?? '', 10) || 1);
  const limit = Math.min(50, Math.max(1, Number.parseInt(query.get('limit') ?? '20', 10) || 20));
  return { items: rows.slice((page - 1) * limit, page * limit), page, limit };
}
