import {
  type ASTNode,
  type FieldNode,
  GraphQLError,
  type GraphQLErrorExtensions,
  type GraphQLErrorOptions,
  type GraphQLFormattedError,
  getLocation,
  Kind,
} from 'graphql';
import { flat } from './flat.ts';
import type { SourceLack } from './source-error.ts';

/** The caller's own mistake. The message names the thing and the remedy. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** What was passed, as an error message may repeat it: a message must not be as long as a caller likes. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** Thrown by a field that needs what a source lacked. */
export class SourceFailure extends Error {
  override readonly name = 'SourceFailure';
  readonly lack: SourceLack;

  constructor(lack: SourceLack) {
    super(lack.fault.message);
    this.lack = lack;
  }
}

/** The place in an answer that an error belongs to. */
export interface ErrorPlace {
  readonly nodes: readonly ASTNode[];
  readonly path: readonly (string | number)[];
}

/** The codes of GraphQL and Yoga that are promised to clients. */
const clientCodes = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'COST_LIMIT_EXCEEDED',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_IN_LIST',
]);

/** What stands beside data, at its place in the answer: what throwing it from the field would make of it. */
export function locateLack(lack: SourceLack, place: ErrorPlace): GraphQLError {
  return new GraphQLError(lack.fault.message, { ...place, originalError: new SourceFailure(lack) });
}

/** The same as clients see it in the end. (Each error notes a stack, which takes as long as a small answer.) */
export function formatLack(lack: SourceLack, { nodes, path }: ErrorPlace): GraphQLFormattedError {
  const { message, extensions } = showLack(lack);
  const locations = nodes.flatMap(({ loc }) => (loc ? getLocation(loc.source, loc.start) : []));
  return { message, locations, path, extensions };
}

function showLack({ source, state, fault }: SourceLack) {
  const code = state === 'FAILED' ? 'SOURCE_FAILED' : 'SOURCE_PARTIAL';
  return { message: flat(`${source}: ${fault.message}`), extensions: { code, source, sourceErrorCode: fault.code } };
}

/** An operation that asks for more than is allowed. The message says which limit. */
export function costLimitError(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'COST_LIMIT_EXCEEDED', http: { status: 400 } } });
}

/** An operation that its caller has no scope for (RFC 6750, 3.1: `insufficient_scope`). */
export function forbiddenError(scope: string): GraphQLError {
  const headers = { 'www-authenticate': `Bearer realm="hookgraph", error="insufficient_scope", scope="${scope}"` };
  return new GraphQLError(`This needs the scope ${scope}, which the token does not have.`, {
    extensions: { code: 'FORBIDDEN', http: { status: 403, spec: false, headers } },
  });
}

/** An operation that asks for what is shown to nobody here. */
export function noPayloadsError(): GraphQLError {
  const message = 'Headers and bodies of deliveries are not shown here. DELIVERY_PAYLOADS=on would show them.';
  return new GraphQLError(message, { extensions: { code: 'FORBIDDEN', http: { status: 403, spec: false } } });
}

/** A mutation whose answer would come in a form that its client does not take. The front door says which forms there are. */
export function notAcceptableError(): GraphQLError {
  const message = 'Nothing was done: the answer would come in a form that Accept does not name.';
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 406, spec: false } } });
}

/** A document that cannot be run under the id that came in its place, or with it. */
export function documentIdError(
  code: 'PERSISTED_QUERY_NOT_FOUND' | 'PERSISTED_QUERY_NOT_IN_LIST' | 'BAD_USER_INPUT',
  message: string,
): GraphQLError {
  // With `spec`, clients that take application/json only find it in an answer 200, where they look for it.
  return new GraphQLError(message, { extensions: { code, http: { status: 400, spec: true } } });
}

/** A field that would show the schema where it is hidden, in the words in which GraphQL refuses its own. */
export function hiddenSchemaError(nodes: FieldNode): GraphQLError {
  const message = `GraphQL introspection has been disabled, but the requested query contained the field "${nodes.name.value}".`;
  return new GraphQLError(message, { nodes });
}

/** What is wrong with a variable, or with what it makes of an argument, under the code and status of all mistakes of callers. */
export function variableError({ message, nodes }: Pick<GraphQLError, 'message' | 'nodes'>): GraphQLError {
  return new GraphQLError(withoutValue(message), {
    nodes: nodes ?? null,
    extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
  });
}

/** Where messages of graphql-js end with a value, of variables or as it stands in a document: it may be a secret, or hold one. */
const endsInValue: readonly RegExp[] = [
  /^((?:Variable "\$\w+" got|Argument "\w+" has) invalid value) .*$/s,
  /^(Expected value of type "[^"]+"), found (?!null\.$).*$/s,
  /^((?:String|Int|Float|Boolean|ID|Enum "\w+") cannot represent (?:a )?non[\w -]+value): .*$/s,
  /^(Syntax Error: (?:Expected \S+, found|Unexpected) (?:Block)?String) ".*$/s,
];

function withoutValue(message: string): string {
  return endsInValue.reduce((text, pattern) => text.replace(pattern, '$1.'), message);
}

/** What validation finds wrong with a document, without the values that stand in it. What our own scalars say holds none. */
export function validationError(error: GraphQLError): GraphQLError {
  const shown = withoutValue(error.message);
  if (shown === error.message) return error;
  const own = error.originalError instanceof InputError ? ` ${error.originalError.message}` : '';
  return new GraphQLError(shown + own, { nodes: error.nodes ?? null, extensions: error.extensions });
}

/** Translates whatever was thrown into what a client may see. Anything that is not ours says "Internal error" and no more. */
export function toClientError(error: unknown): GraphQLError {
  const options = placeOf(error);
  const cause = rootCause(error);
  if (cause instanceof InputError) {
    return new GraphQLError(cause.message, { ...options, extensions: { code: 'BAD_USER_INPUT' } });
  }
  if (cause instanceof SourceFailure) {
    const { message, extensions } = showLack(cause.lack);
    return new GraphQLError(message, { ...options, extensions });
  }
  if (error instanceof GraphQLError && isRequestError(error, cause)) {
    const extensions = requestExtensions(error.extensions);
    return new GraphQLError(withoutValue(error.message), { ...options, extensions });
  }
  // `unexpected` makes an answer without data HTTP 500; Yoga takes it out before the answer leaves.
  const extensions = { code: 'INTERNAL_SERVER_ERROR', unexpected: true };
  return new GraphQLError('Internal error', { ...options, extensions });
}

/** Raised by GraphQL or Yoga about the document, its variables or the HTTP request, and not by a field of ours. */
function isRequestError(error: GraphQLError, cause: unknown): boolean {
  if (!(cause instanceof GraphQLError) || error.extensions.unexpected === true) return false;
  // Values that turn out wrong only when a field is reached point at the argument, not at the field.
  const aboutValue = cause.nodes?.every(({ kind }) => kind !== Kind.FIELD) ?? false;
  return error.path === undefined || aboutValue;
}

/** Keeps the HTTP status that Yoga chose, and the few codes that we promise: what is none of them is BAD_USER_INPUT. */
function requestExtensions({ code, http }: GraphQLErrorExtensions): GraphQLErrorExtensions {
  const promised = typeof code === 'string' && clientCodes.has(code);
  const clientCode = promised ? code : 'BAD_USER_INPUT';
  if (!http) return { code: clientCode };
  // `spec` makes it 200 under application/json, which is for documents that are wrong, not for requests.
  return { code: clientCode, http: promised ? http : { ...http, spec: false } };
}

function placeOf(error: unknown): GraphQLErrorOptions {
  if (!(error instanceof GraphQLError)) return {};
  const { nodes = null, source = null, positions = null, path = null } = error;
  return { nodes, source, positions, path };
}

function rootCause(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? rootCause(error.originalError) : error;
}
