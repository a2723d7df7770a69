import { parse } from 'graphql';
import { z } from 'zod';

/** The texts of GraphQL documents by the ids that clients send in their place. */
export type Documents = ReadonlyMap<string, string>;

/** What `@apollo/generate-persisted-query-manifest` writes. */
const ApolloManifest = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(z.object({ id: z.string(), body: z.string() })),
});

/** What the Relay compiler writes with `persistConfig.file`. */
const RelayManifest = z.record(z.string(), z.string());

const Manifest = z.union([
  ApolloManifest.transform(({ operations }) => new Map(operations.map(({ id, body }) => [id, body]))),
  RelayManifest.transform((texts) => new Map(Object.entries(texts))),
]);

/**
 * Reads a manifest of trusted documents in either form; null where the text is neither, names no document, or one that cannot be
 * parsed.
 */
export function readManifest(text: string): Documents | null {
  try {
    const documents = Manifest.parse(JSON.parse(text));
    for (const document of documents.values()) parse(document);
    return documents.size === 0 ? null : documents;
  } catch {
    return null;
  }
}
