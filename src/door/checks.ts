import type { IncomingMessage } from 'node:http';
import { valuesOf } from './headers.ts';
import { badRequest, type Refusal } from './refusal.ts';

/** Pairs of name and value in one request: node:http drops those beyond its own limit without a word. */
const mostHeaders = 100;
/** Bytes of a body: a thousand ids fit in. */
export const largestBody = 131_072;

const hostPattern = /^([\w-]+(\.[\w-]+)*\.?|\[[\da-f:.]+\])(:\d{1,5})?$/i;
const jsonType = /^application\/(graphql\+)?json\s*(;\s*charset="?utf-8"?\s*)?$/i;
/** What a form or a script of any page may send without asking first (Fetch standard, CORS-safelisted). */
const simpleType = /^\s*(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i;
/** What makes a GET run something: the text of a document, or what carries its id. */
const documentParameters = ['query', 'extensions', 'documentId', 'doc_id'];
/** A page of another origin cannot send these without a preflight, so they prove that there was one. */
const preflightHeaders = ['x-graphql-yoga-csrf', 'apollo-require-preflight', 'graphql-require-preflight'];

/** What is wrong with the request line and the headers of any request. */
export function checkRequest(request: IncomingMessage): Refusal | null {
  const { url = '', headers, rawHeaders } = request;
  const coding = headers['transfer-encoding'];
  // node:http takes what ends in it, and takes off nothing else: to others the body would end elsewhere.
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return badRequest(400, 'The only transfer encoding is chunked.');
  if (!url.startsWith('/') || url.startsWith('//')) return badRequest(400, 'The target must be a path.');
  if (rawHeaders.length > 2 * mostHeaders) return badRequest(431, `At most ${mostHeaders} headers are taken.`);
  if (valuesOf(request, 'host').length !== 1 || !isValidHost(headers.host ?? ''))
    return badRequest(400, 'There must be one valid Host header.');
  if (headers.upgrade !== undefined) return badRequest(400, 'No other protocol is spoken here.', { allow: allowed });
  return null;
}

/** Most requests name the host that the last one named. */
let lastValid = '';

function isValidHost(host: string): boolean {
  if (host === lastValid) return host !== '';
  // The pattern keeps out what a URL would take as more than a host, the other what no URL can have, such as port 70000.
  const isValid = hostPattern.test(host) && URL.canParse(`http://${host}`);
  if (isValid) lastValid = host;
  return isValid;
}

const allowed = 'GET, POST, OPTIONS';
const notAllowed = badRequest(405, 'Use GET or POST.', { allow: allowed });

/** The refusal of CONNECT. */
export const noTunnel = notAllowed;

/** The refusal of what node:http could not read, by the code of its error. */
export function unreadable(code: string | undefined): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return badRequest(408, 'The request did not come in time.');
  if (code === 'HPE_HEADER_OVERFLOW') return badRequest(431, 'The address and the headers are too large.');
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return badRequest(413, 'The chunk extensions are too large.');
  return code === 'HPE_INVALID_METHOD' ? notAllowed : badRequest(400, 'This is not a valid HTTP request.');
}

/** What is wrong with a request to `/health` or `/ready`. */
export function checkProbe({ method }: IncomingMessage): Refusal | null {
  return method === 'GET' || method === 'HEAD' ? null : badRequest(405, 'Use GET.', { allow: 'GET, HEAD' });
}

/** What is wrong with a request to GraphQL, before its body is read. */
export function checkGraphql(request: IncomingMessage): Refusal | null {
  if (request.method === 'GET') return checkGet(request);
  if (request.method === 'POST') return checkPost(request);
  return request.method === 'OPTIONS' ? null : notAllowed;
}

function checkPost({ headers }: IncomingMessage): Refusal | null {
  if (!jsonType.test(headers['content-type'] ?? '')) {
    return badRequest(415, 'The content type must be application/json, in UTF-8.', { accept: 'application/json' });
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    return badRequest(415, 'The body must not be encoded.', { 'accept-encoding': 'identity' });
  }
  return Number(headers['content-length'] ?? 0) > largestBody ? tooLarge : null;
}

/** Refuses what another site's page can make a browser send, unless a header proves that the browser asked first. */
function checkGet({ url = '', headers }: IncomingMessage): Refusal | null {
  const given = new URLSearchParams(url.split('?').slice(1).join('?'));
  const wrong = checkParameters(given);
  if (wrong) return wrong;
  if (preflightHeaders.some((name) => headers[name] !== undefined)) return null;
  // Opening GraphiQL from a link runs nothing.
  if (headers['sec-fetch-mode'] === 'navigate' && !documentParameters.some((name) => given.has(name))) return null;
  const site = headers['sec-fetch-site'];
  const foreign = headers.origin !== undefined || site === 'cross-site' || site === 'same-site';
  if (!foreign && !simpleType.test(headers['content-type'] ?? '')) return null;
  return badRequest(403, `From a page of another origin, use POST, or send the header ${preflightHeaders[0]}.`);
}

/** Yoga would take it for a fault of its own. */
function checkParameters(given: URLSearchParams): Refusal | null {
  const wrong = ['variables', 'extensions'].find((name) => !isJson(given.get(name) || 'null'));
  return wrong === undefined ? null : badRequest(400, `The parameter ${wrong} must be JSON.`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The refusal of a body that is larger than `largestBody`, by what it declares or by what came. */
export const tooLarge = badRequest(413, `The body must be at most ${largestBody} bytes.`);
