import { readFileSync } from 'node:fs';
import { composeServices as composeByApollo } from '@apollo/composition';
import { composeServices as composeByGuild, transformSupergraphToPublicSchema } from '@theguild/federation-composition';
import { buildASTSchema, GraphQLError, type GraphQLSchema, parse } from 'graphql';

/** The file that platform teams compose, as `npm run schema` writes it. */
export const ownSubgraph = readFileSync(new URL('../../../src/schema/subgraph.graphql', import.meta.url), 'utf8');

/** A subgraph by its name: its schema, and where it is served if it is. */
export type Subgraphs = Readonly<Record<string, { readonly sdl: string; readonly url?: string }>>;

/** What a composer made of some subgraphs. */
export interface Composed {
  /** As gateways take it. Throws if nothing was composed. */
  supergraph(): string;
  /** As clients of a gateway see it. Throws if nothing was composed. */
  api(): GraphQLSchema;
  /** The codes of the errors, each once. */
  readonly codes: readonly string[];
  readonly messages: readonly string[];
}

/** The composers by the names of their packages. */
export const composers = {
  '@apollo/composition': (subgraphs: Subgraphs) => outcome(tryApollo(subgraphs)),
  '@theguild/federation-composition': (subgraphs: Subgraphs) => outcome(composeByGuild(servicesOf(subgraphs))),
};

function servicesOf(subgraphs: Subgraphs) {
  return Object.entries(subgraphs).map(([name, subgraph]) => {
    const { sdl, url = `http://${name}.example/graphql` } = subgraph;
    return { name, url, typeDefs: parse(sdl) };
  });
}

interface Result {
  readonly supergraphSdl?: string | undefined;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[] | undefined;
}

/** Apollo's composer throws some of its errors and returns the others. */
function tryApollo(subgraphs: Subgraphs): Result {
  try {
    return composeByApollo(servicesOf(subgraphs));
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    throw error;
  }
}

function outcome({ supergraphSdl, errors = [] }: Result): Composed {
  const messages = errors.map(({ message }) => message);
  function supergraph(): string {
    if (supergraphSdl === undefined) throw new Error(`Nothing was composed: ${messages.join('\n')}`);
    return supergraphSdl;
  }
  return {
    supergraph,
    api: () => buildASTSchema(transformSupergraphToPublicSchema(parse(supergraph()))),
    codes: [...new Set(errors.map(({ extensions }) => String(extensions.code)))],
    messages,
  };
}
