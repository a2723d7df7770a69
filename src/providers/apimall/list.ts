import { SourceError, type SourceErrorCode } from '../../errors.ts';
import type { Http } from '../../upstream/http.ts';
import { readRows, type Snapshot } from '../../upstream/snapshot.ts';
import { type ApiMallWebhook, readProblem, readWebhook, WireList } from './wire.ts';

const mostPages = 20;
/** Where a page does not state its limit (`upstreams.md` A3). */
const defaultPageSize = 20;

/**
 * Reads API Mall's list, which comes whole or in pages that tell neither their number nor the last one: pages are asked
 * for until one is short. A page that fails, that cannot be the next one, or one too many leaves a shortfall behind the
 * rows that did come.
 */
export async function list(http: Http, source: string): Promise<Snapshot<ApiMallWebhook>> {
  const items: unknown[] = [];
  const read = (shortfall?: SourceError) => ({
    ...readRows(items, (row) => readWebhook(row, source)),
    shortfall: shortfall?.fault ?? null,
  });

  const first = await readPage(http, '/webhooks');
  const size = first.limit ?? defaultPageSize;
  append(items, first.items);
  if (first.whole || first.items.length < size) return read();

  const seen = new Set(items.map(identity));
  for (let number = 2; number <= mostPages; number++) {
    const page = await readPage(http, `/webhooks?page=${number}&limit=${size}`).catch(keepSourceError);
    if (page instanceof SourceError) return read(page);
    const ids = page.items.map(identity);
    if (ids.length > 0 && ids.every((id) => seen.has(id))) return read(unusable('repeats a page of its list'));
    append(items, page.items);
    if (page.limit !== undefined && page.limit !== size) return read(unusable('changes the size of its pages'));
    if (ids.length < size) return read();
    for (const id of ids) seen.add(id);
  }
  return read(new SourceError('TOO_LARGE', { message: `The provider's list has more than ${mostPages} pages.` }));
}

/** A list may be longer than what one call takes as arguments. */
function append(items: unknown[], more: readonly unknown[]): void {
  for (const item of more) items.push(item);
}

function unusable(what: string): SourceError {
  return new SourceError('BAD_RESPONSE', { message: `The provider ${what}.` });
}

function keepSourceError(error: unknown): SourceError {
  if (error instanceof SourceError) return error;
  throw error;
}

interface Page {
  readonly items: readonly unknown[];
  /** Whether it is no page but the whole list. */
  readonly whole: boolean;
  readonly limit?: number | undefined;
}

async function readPage(http: Http, path: string): Promise<Page> {
  const envelope = await http.getJson(path, WireList, readProblem);
  if ('data' in envelope) return envelope.data;
  throw http.failure(failureCode(envelope.error?.code), readProblem(envelope));
}

/** What `success: false` in an answer 200 means: only these two codes are documented (`upstreams.md` A2). */
function failureCode(code: string | undefined): SourceErrorCode {
  if (code === 'unauthorized') return 'UNAUTHORIZED';
  return code === 'not_found' ? 'NOT_FOUND' : 'UPSTREAM_ERROR';
}

function identity(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'id' in item ? item.id : item;
}
