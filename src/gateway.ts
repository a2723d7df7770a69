import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import { type ASTVisitor, type GraphQLError, NoSchemaIntrospectionCustomRule, type ValidationContext } from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { useAcceptance } from './acceptance.ts';
import { type Answers, createAnswers } from './answers.ts';
import { type Context, createContext } from './context.ts';
import { createParseCache, documentIdParameters, noParseCache, usePersistedDocuments } from './documents.ts';
import { hiddenSchemaError, toClientError } from './errors.ts';
import { useSourceFailures } from './failures.ts';
import { createGraphiqlOptions, renderGraphiql, useGraphiqlPolicy } from './graphiql.ts';
import { type DocumentLimits, useDocumentLimits } from './limits.ts';
import type { Documents } from './manifest.ts';
import { useRecording } from './recording.ts';
import { createRecord, type EndedWrite, type ReadList, type RequestRecord } from './request.ts';
import type { FindCredential, Source } from './request-source.ts';
import { schema } from './schema/index.ts';
import { useScopes } from './scopes.ts';
import { createTurns, type Turn } from './turns.ts';

/** What the gateway needs; the names are those of the configuration. */
export interface GatewayOptions {
  readonly sources: readonly Source[];
  /** Finds the key of each source for a request with these headers, whose names are in lower case. */
  findCredentials(headers: Pick<Headers, 'get'>): FindCredential;
  readonly partialResults: Context['partialResults'];
  /** Whether webhooks may be changed. */
  readonly writes: boolean;
  /** Whether the log of deliveries is shown with bodies and headers. */
  readonly deliveryPayloads: boolean;
  readonly graphiql: boolean;
  /** Whether callers need a token, for GraphiQL to say so: it is the front door that asks for it. */
  readonly needsToken: boolean;
  readonly introspection: boolean;
  readonly documentLimits: DocumentLimits;
  /** The only documents that are run; null for any. */
  readonly trustedDocuments: Documents | null;
  /** Whether answers are kept, and sent again where every source says what it said when they were made; so if not given. */
  readonly reuseAnswers?: boolean;
  /** Milliseconds for which all work goes on at once before it takes turns; as many as are usual if not given. */
  readonly sliceMs?: number | undefined;
  /** Told of faults of our own, which clients see as "Internal error" only. */
  onInternalError(error: unknown, requestId?: string): void;
  /** Told of webhooks that a request read, all of a source or a part of them. */
  onListed(list: ReadList): void;
  /** Told of each write when it ended. */
  onWrite(record: RequestRecord, write: EndedWrite): void;
}

/** What the front door passes on beside the request; nothing where a test asks without one. */
interface ServerContext {
  readonly record?: RequestRecord;
}

/** The GraphQL endpoint `/graphql`: `fetch` answers whatever comes, `answer` what came before, and faster. */
export interface Gateway extends Pick<Answers, 'answer'> {
  readonly fetch: YogaServerInstance<ServerContext, Context>['fetch'];
  /** What `fetch` belongs to, also a listener for node:http. */
  readonly yoga: YogaServerInstance<ServerContext, Context>;
  /** Resolves when no write is under way: each has been told of then, also where its caller left. */
  writesEnded(): Promise<void>;
}

/**
 * Makes the endpoint, without a door before it: who calls, and whether there is room, is settled by whoever passes a request on.
 * What was learnt of queries is this gateway's own, and lives as long as it.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const turns = createTurns(options.sliceMs);
  const writing = new Set<Promise<unknown>>();
  const answers = createAnswers({
    reuseAnswers: options.reuseAnswers !== false,
    turns,
    openContext: ({ headers, signal, record }, turn) =>
      open(record, { get: (name) => headers[name]?.toString() ?? null }, signal, turn),
  });
  function open(record: RequestRecord, headers: Pick<Headers, 'get'>, signal: AbortSignal, turn: Turn): Context {
    const findCredential = options.findCredentials(headers);
    return createContext({ ...options, record, findCredential, signal, turn, writing });
  }
  function maskError(error: unknown): GraphQLError {
    const clientError = toClientError(error);
    if (clientError.extensions.code === 'INTERNAL_SERVER_ERROR') options.onInternalError(error);
    return clientError;
  }
  const yoga = createYoga<ServerContext, Context>({
    schema,
    context: ({ request, record = createRecord() }) =>
      answers.contextOf(record) ?? open(record, request.headers, request.signal, turns.join()),
    graphiql: options.graphiql && createGraphiqlOptions(options),
    renderGraphiQL: renderGraphiql,
    landingPage: false,
    batching: false,
    multipart: false,
    // The front door has read the body, and has limited it.
    maxRequestBodySize: false,
    // The front door says so, on its own refusals too.
    cors: false,
    maskedErrors: { errorMessage: 'Internal error', maskError },
    parserAndValidationCache: { documentCache: createParseCache(), errorCache: noParseCache },
    // Yoga would log every caller's mistake as an error.
    logging: false,
    extraParamNames: [...documentIdParameters],
    plugins: [
      useRecording(),
      usePersistedDocuments(options.trustedDocuments),
      useDeferStream(),
      useScopes(options.deliveryPayloads),
      useAcceptance(),
      useDocumentLimits(options.documentLimits, !options.introspection),
      !options.introspection && useNoIntrospection(),
      // Before the failures of sources, which it tells itself, are added.
      answers.plugin,
      useSourceFailures(maskError),
      useGraphiqlPolicy(),
    ],
  });
  return {
    yoga,
    fetch: yoga.fetch,
    answer: answers.answer,
    async writesEnded() {
      while (writing.size > 0) await Promise.allSettled(writing);
    },
  };
}

function useNoIntrospection(): Plugin {
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule);
      addValidationRule(noSubgraphSchema);
    },
  };
}

/** What federation asks of a subgraph holds the whole schema, too. */
function noSubgraphSchema(context: ValidationContext): ASTVisitor {
  return {
    Field(node) {
      if (node.name.value === '_service') context.reportError(hiddenSchemaError(node));
    },
  };
}
