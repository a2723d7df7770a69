import { SourceError, type SourceErrorCode } from '../../errors.ts';
import type { Http } from '../../upstream/http.ts';
import { readRows, type Snapshot } from '../../upstream/snapshot.ts';
import { type ApiMallWebhook, readProblem, readWebhook, WireList } from './wire.ts';

const mostPages = 20;

/**
 * Reads API Mall's list, which comes whole or in pages that tell neither their number nor the last one: pages are asked
 * for until one is short. A page that fails, that repeats what is known, or one too many leaves a shortfall behind the
 * rows that did come.
 */
export async function list(http: Http, source: string): Promise<Snapshot<ApiMallWebhook>> {
  const items: unknown[] = [];
  const read = (shortfall?: SourceError) => ({
    ...readRows(items, (row) => readWebhook(row, source)),
    shortfall: shortfall?.fault ?? null,
  });

  const first = await readPage(http, '/webhooks');
  items.push(...first.items);
  if (first.limit === null || first.items.length < first.limit) return read();

  const seen = new Set(items.map(identity));
  for (let page = 2; page <= mostPages; page++) {
    let next: Page;
    try {
      next = await readPage(http, `/webhooks?page=${page}&limit=${first.limit}`);
    } catch (error) {
      if (error instanceof SourceError) return read(error);
      throw error;
    }
    const fresh = next.items.filter((item) => !seen.has(identity(item)));
    if (next.items.length > 0 && fresh.length === 0) {
      return read(new SourceError('BAD_RESPONSE', { message: 'The provider repeats a page of its list.' }));
    }
    items.push(...next.items);
    for (const item of fresh) seen.add(identity(item));
    if (next.items.length < first.limit) return read();
  }
  return read(new SourceError('TOO_LARGE', { message: `The provider's list has more than ${mostPages} pages.` }));
}

interface Page {
  readonly items: readonly unknown[];
  /** null where the list came whole. */
  readonly limit: number | null;
}

async function readPage(http: Http, path: string): Promise<Page> {
  const envelope = await http.getJson(path, WireList, readProblem);
  if (envelope.success === false) {
    throw new SourceError(failureCode(envelope.error?.code), { ...readProblem(envelope), httpStatus: 200 });
  }
  if (envelope.data === undefined) throw new SourceError('BAD_RESPONSE', { httpStatus: 200 });
  return envelope.data;
}

/** What `success: false` in an answer 200 means: only these two codes are documented (`upstreams.md` A2). */
function failureCode(code: string | undefined): SourceErrorCode {
  if (code === 'unauthorized') return 'UNAUTHORIZED';
  return code === 'not_found' ? 'NOT_FOUND' : 'UPSTREAM_ERROR';
}

function identity(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'id' in item ? item.id : item;
}
