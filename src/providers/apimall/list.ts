import { SourceError } from '../../source-error.ts';
import type { Http } from '../../upstream/calls.ts';
import { createSnapshot, readRows, type Snapshot } from '../../upstream/snapshot.ts';
import { type ApiMallWebhook, failureCode, findRequestId, readList, readProblem, webhookReader } from './wire.ts';

const mostPages = 20;
/** Where a page does not state its limit (`upstreams.md` A3). */
const defaultPageSize = 20;

/**
 * Reads API Mall's list, which comes whole or in pages that tell neither their number nor the last one: pages are asked
 * for until one is short. A page that fails, that cannot be the next one, or one too many leaves a shortfall behind the
 * rows that did come.
 */
export async function list(http: Http, source: string): Promise<Snapshot<ApiMallWebhook>> {
  const first = await readPage(http, '/webhooks', source);
  const size = first.limit ?? defaultPageSize;
  if (first.whole || first.ids.length < size) return joinPages([first]);

  const pages = [first];
  const seen = new Set(first.ids);
  for (let number = 2; number <= mostPages; number++) {
    const page = await readPage(http, `/webhooks?page=${number}&limit=${size}`, source).catch(keepSourceError);
    if (page instanceof SourceError) return joinPages(pages, page);
    const { ids, limit } = page;
    if (ids.length > 0 && ids.every((id) => seen.has(id))) {
      return joinPages(pages, unusable('repeats a page of its list'));
    }
    pages.push(page);
    if (limit !== undefined && limit !== size) return joinPages(pages, unusable('changes the size of its pages'));
    if (ids.length < size) return joinPages(pages);
    for (const id of ids) seen.add(id);
  }
  return joinPages(
    pages,
    new SourceError('TOO_LARGE', { message: `The provider's list has more than ${mostPages} pages.` }),
  );
}

function joinPages(pages: readonly Page[], shortfall?: SourceError): Snapshot<ApiMallWebhook> {
  const [first] = pages;
  const last = first && !shortfall ? first.joined : null;
  if (last?.pages.length === pages.length && last.pages.every((page, index) => page === pages[index])) {
    return last.snapshot;
  }
  const rows = ([] as Page['rows'][number][]).concat(...pages.map((page) => page.rows));
  const snapshot = createSnapshot(rows, shortfall?.fault);
  if (first && !shortfall) first.joined = { pages, snapshot };
  return snapshot;
}

function unusable(what: string): SourceError {
  return new SourceError('BAD_RESPONSE', { message: `The provider ${what}.` });
}

function keepSourceError(error: unknown): SourceError {
  if (error instanceof SourceError) return error;
  throw error;
}

interface Page {
  readonly rows: readonly (ApiMallWebhook | null)[];
  /** What the rows say that their ids are, whether they could be read or not. */
  readonly ids: readonly unknown[];
  /** Whether it is no page but the whole list. */
  readonly whole: boolean;
  readonly limit?: number | undefined;
  /**
   * The whole list that was last made of this as its first page: of the same pages, the same list. (In a WeakMap, which
   * minor collections read as if it were none, every list would outlive them.)
   */
  joined: { readonly pages: readonly Page[]; readonly snapshot: Snapshot<ApiMallWebhook> } | null;
}

async function readPage(http: Http, path: string, source: string): Promise<Page> {
  const answer = await http.getJson(path, {
    read(json) {
      const listing = readList(json);
      if (!listing || !('items' in listing)) return listing;
      const { items, whole, limit } = listing;
      return {
        rows: readRows(items, webhookReader(source)),
        ids: items.map(identity),
        whole,
        limit,
        joined: null,
      };
    },
    problem: readProblem,
    // What is said of a failure is for the client, its request id included.
    findVolatile: (body, value) => ('rows' in value ? findRequestId(body) : null),
  });
  if ('rows' in answer) return answer;
  throw http.failure(failureCode(answer.error?.code), readProblem(answer));
}

function identity(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'id' in item ? item.id : item;
}
