import { hash } from 'node:crypto';
import type { Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { documentIdError } from './errors.ts';
import type { Documents } from './manifest.ts';
import type { RequestRecord } from './request.ts';

/** What carries the id of a document beside the parameters of every request: GraphQL over HTTP's word, and Relay's. */
export const documentIdParameters = ['documentId', 'doc_id'] as const;

/** Finds the document that a request means by its id, its text, or both. Throws what the client is to be told. */
type FindDocument = (id: string | null, text: string | null) => string | null;

/** Lets clients send the id of a document in place of its text: of `trusted` ones, and no others, where these are given. */
export function usePersistedDocuments(trusted: Documents | null): Plugin {
  const find = trusted ? findTrusted(trusted) : createAutomatic();
  return {
    onParams({ request, params, setParams, context }) {
      const given: unknown = params.query ?? null;
      // Yoga refuses it in its own words.
      if (given !== null && typeof given !== 'string') return;
      // Of a GET, Yoga reads the parameters that it knows and no others.
      const others = request.method === 'GET' ? Object.fromEntries(new URL(request.url).searchParams) : params;
      const id = readId({ ...others, extensions: params.extensions });
      const query = find(id, given);
      const { record } = (context ?? {}) as { record?: RequestRecord };
      if (record) record.comesWithId = id !== null && given !== null;
      if (query !== null && query !== given) setParams({ ...params, query });
    },
  };
}

function readId({ extensions, ...others }: Readonly<Record<string, unknown>>): string | null {
  const { persistedQuery } = Object(extensions);
  const ids = [Object(persistedQuery).sha256Hash, ...documentIdParameters.map((name) => others[name])];
  const id = ids.find((it) => typeof it === 'string');
  return id?.replace(/^sha256:/, '') ?? null;
}

function findTrusted(documents: Documents): FindDocument {
  const texts = new Set(documents.values());
  return (id, text) => {
    if (id === null && text === null) return null;
    const found = text === null ? documents.get(id ?? '') : text;
    if (found === undefined || !texts.has(found)) {
      throw documentIdError('PERSISTED_QUERY_NOT_IN_LIST', 'This document is not among those that are trusted here.');
    }
    return found;
  };
}

/** Characters of documents that are kept, and how many of them. */
const largestStore = { maxSize: 8_388_608, max: 10_000 };

/**
 * Automatic persisted queries: what came once together with its SHA-256 is found by that alone, while there is room. A
 * mutation with text in quotes is not.
 */
function createAutomatic(): FindDocument {
  const known = new LRUCache<string, string>({ ...largestStore, sizeCalculation: ({ length }) => length || 1 });
  return (id, text) => {
    if (id === null) return text;
    if (text === null) {
      const found = known.get(id);
      // Clients know the message by heart: it makes them send the text.
      if (found === undefined) throw documentIdError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound');
      return found;
    }
    if (hash('sha256', text) !== id) {
      throw documentIdError(
        'BAD_USER_INPUT',
        'sha256Hash, documentId, doc_id: must be the SHA-256 of the query that comes with it, in hex.',
      );
    }
    // A secret may stand in the quotes: it comes again with each request, as if there had been no room.
    if (!isMutation(text) || !text.includes('"')) known.set(id, text);
    return text;
  };
}

/** The part of a cache that Yoga asks for. */
export interface ParseCache<T> {
  get(text: string): T | undefined;
  set(text: string, parsed: T): void;
}

/**
 * What parsing made of texts, those that came last. Bounded by their characters: Yoga's own is by their number alone. A text
 * with a mutation is not kept: a secret may stand in it.
 */
export function createParseCache<T extends object>(): ParseCache<T> {
  const kept = new LRUCache<string, T>({
    max: 1024,
    maxSize: 1_048_576,
    sizeCalculation: (_parsed, { length }) => length || 1,
  });
  return {
    get: (text) => kept.get(text),
    set(text, parsed) {
      if (!isMutation(text)) kept.set(text, parsed);
    },
  };
}

/** Whether a text may hold a mutation: nothing that the grammar knows begins one but this word, as it stands. */
function isMutation(text: string): boolean {
  return /\bmutation\b/.test(text);
}

/** Keeps nothing: what could not be read may hold a secret, and to find that out again takes no longer than the first time. */
export const noParseCache: ParseCache<never> = { get: () => undefined, set() {} };
