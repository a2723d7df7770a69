import type { IncomingHttpHeaders } from 'node:http';
import { getOperationAST, getVariableValues } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { type Compilable, type CompiledQuery, compileQuery } from './compile.ts';
import type { Context } from './context.ts';
import { formatLack } from './errors.ts';
import { noteErrors, noteOperation } from './recording.ts';
import { isAllowed, type Operation, type RequestRecord } from './request.ts';
import type { SourceReport } from './request-source.ts';
import { schema } from './schema/index.ts';
import { plainScalars } from './schema/scalars.ts';
import type { Turn, Turns } from './turns.ts';

/** A request as the front door read it. */
export interface GraphqlRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string | null;
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal;
  readonly record: RequestRecord;
}

/** An answer 200 as it goes out. */
export interface ReadyAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What is done for requests that came before, in place of reading them again. */
export interface Answers {
  /** Learns from what the ordinary way makes of a request. */
  readonly plugin: Plugin<Context, { readonly record?: RequestRecord }>;
  /**
   * Answers what was learnt with `send`, which must not throw, and tells whether nothing is left to do, as also where nobody waits
   * for the answer any more. Otherwise the request must go the ordinary way.
   */
  answer(request: GraphqlRequest, send: (answer: ReadyAnswer) => void): Promise<boolean>;
  /** What was asked already for a request that goes the ordinary way after all. */
  contextOf(record: RequestRecord): Context | undefined;
}

export interface AnswersOptions {
  openContext(request: Pick<GraphqlRequest, 'headers' | 'signal' | 'record'>, turn: Turn): Context;
  readonly turns: Turns;
  /** Whether answers are kept, and sent again where every source says what it said when they were made. */
  readonly reuseAnswers: boolean;
}

/** A query that was executed without an error, but of those that sources left beside data. It is compiled when it comes again. */
interface Learnt extends Compilable {
  readonly serial: number;
  readonly recorded: Operation | null;
  readonly cost: number;
  readonly headers: ReadyAnswer['headers'];
  /** null where it cannot be. */
  readonly compiled?: CompiledQuery<Context> | null;
  /** The sources whose rows are in the answer, once it was made. */
  asked?: readonly string[];
}

/** Queries that are known, and the bytes that they and all that was made of them may take. */
const mostQueries = { max: 1000, maxSize: 50_331_648 };
/** What is made of a query takes so many bytes for each character of its request and of its text, and of its code. */
const bytesPer = { textCharacter: 50, codeCharacter: 4 };
/** Answers that are kept, and their bytes. */
const mostAnswers = { max: 2000, maxSize: 33_554_432 };

/** What is sent again is one JSON text: what goes out in pieces, or as events, is framed by Yoga. */
const jsonType = /^application\/(graphql-response\+)?json\b/;

/**
 * Whether lists came before, by their serials, which only ever rise: each has its place among so many, until one that came later
 * takes it. (Whatever kept more of a list that never comes again would outlive all minor collections.)
 */
function createSightings(): (serial: number) => boolean {
  const seen = new Float64Array(1024);
  return (serial) => {
    const place = serial % seen.length;
    const cameBefore = seen[place] === serial;
    seen[place] = serial;
    return cameBefore;
  };
}

function sizeOf({ document, compiled }: Learnt, key: string): number {
  const text = key.length + (document.loc?.end ?? 0);
  return text * bytesPer.textCharacter + (compiled?.length ?? 0) * bytesPer.codeCharacter;
}

function isCompiled(query: Learnt | undefined): query is Learnt & { readonly compiled: CompiledQuery<Context> } {
  return query?.compiled != null;
}

/** Nothing is known yet. What is kept is bounded; what was used longest ago goes first. */
export function createAnswers({ openContext, turns, reuseAnswers }: AnswersOptions): Answers {
  const queries = new LRUCache<string, Learnt>({ ...mostQueries, sizeCalculation: sizeOf });
  /** By the query and the lists that they were made of. */
  const kept = new LRUCache<string, Buffer>({ ...mostAnswers, sizeCalculation: (body) => body.length + 200 });
  const cameBefore = createSightings();
  const keys = new WeakMap<RequestRecord, string>();
  const executed = new WeakMap<RequestRecord, Omit<Learnt, 'headers'>>();
  const contexts = new WeakMap<RequestRecord, Context>();
  let serials = 0;

  /** What the sources say whose rows are in the answer; null where it is made anew, whatever they say. */
  function askAgain({ compiled, asked }: Learnt, { sources }: Context): Promise<(SourceReport | undefined)[]> | null {
    if (!reuseAnswers || !asked || compiled?.isPerRequest !== false) return null;
    return Promise.all(asked.map((key) => sources.get(key)?.ask()));
  }

  /** The name of the answer that is made of these reports; null where they are not whole, or did not all come before. */
  function nameAnswer({ serial }: Learnt, reports: readonly (SourceReport | undefined)[] | null): string | null {
    const serials = reports?.map((report) => (report?.state === 'OK' ? report.serial : null)) ?? [null];
    // All are noted, also after one that is new. Where rows change all the time, no answer comes again.
    const known = serials.filter((it) => it !== null && cameBefore(it));
    return known.length === serials.length ? [serial, ...known].join() : null;
  }

  /** Answers what was compiled, and tells whether it could be run so. */
  async function run(
    key: string,
    query: Learnt & { readonly compiled: CompiledQuery<Context> },
    request: GraphqlRequest,
    context: Context,
    send: (answer: ReadyAnswer) => void,
  ): Promise<boolean> {
    const { record, signal } = request;
    const name = nameAnswer(query, await askAgain(query, context));
    const last = name === null ? undefined : kept.get(name);
    if (last) {
      record.isReused = true;
      context.turn.pass();
      send({ headers: query.headers, body: last });
      return true;
    }
    const isMade = await make(query.compiled, context, (body) => {
      query.asked ??= [...context.sources.values()]
        .filter((source) => source.wasAsked())
        .map(({ key: asked }) => asked);
      // For who left, it lacks rows.
      if (name !== null && !signal.aborted) kept.set(name, body);
      send({ headers: query.headers, body });
    });
    if (isMade) return true;
    contexts.set(record, context);
    // With all rows there, and somebody who waits for them, it is the query that cannot be run so: it need not be tried again.
    const isWhole = !signal.aborted && record.reads.every(({ state }) => state === 'OK');
    if (isWhole) queries.set(key, { ...query, compiled: null });
    return false;
  }

  /** Tells whether `use` got an answer. */
  async function make(
    compiled: CompiledQuery<Context>,
    context: Context,
    use: (body: Buffer) => void,
  ): Promise<boolean> {
    const { record, failures } = context;
    const isMade = await compiled
      .run(context, (data) => {
        const errors = failures.map(({ lack, place }) => formatLack(lack, place));
        noteErrors(record, { errors });
        use(Buffer.from(JSON.stringify(errors.length > 0 ? { data, errors } : { data })));
        return true;
      })
      // Whatever it was, the ordinary executor meets it again, and says it as it is to be said.
      .catch(() => false);
    if (!isMade) failures.length = 0;
    return isMade;
  }

  return {
    async answer(request, send) {
      const { record, headers } = request;
      const key = [request.method, request.url, headers.accept, request.body].join('\n');
      let query = queries.get(key);
      if (!query) keys.set(record, key);
      else if (query.compiled === undefined) {
        query = { ...query, compiled: compileQuery<Context>(schema, query, plainScalars) };
        // Another object, so that its size is taken anew.
        queries.set(key, query);
      }
      // Who may not read is told so on the ordinary way.
      if (!isCompiled(query) || !isAllowed(record, 'webhooks:read')) return false;
      noteOperation(record, query.recorded);
      const turn = turns.join();
      await turn.begin(query.cost);
      if (request.signal.aborted) {
        turn.pass();
        return true;
      }
      // Not before: what is made while this waits would be old when the rows come, see `exchange`.
      return run(key, query, request, openContext(request, turn), send);
    },
    contextOf: (record) => contexts.get(record),
    plugin: {
      onExecute: ({ args: { document, operationName, variableValues, contextValue } }) => ({
        onExecuteDone({ result }) {
          const { record, turn } = contextValue;
          // What comes with its id is to be registered each time: what is registered is forgotten at another time.
          if (!keys.has(record) || record.comesWithId || isAsyncIterable(result) || result.errors) return;
          const operation = getOperationAST(document, operationName);
          // The text of a mutation may hold a secret, and would be kept as a key.
          if (operation?.operation !== 'query') return;
          const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variableValues ?? {});
          if (!coerced) return;
          serials += 1;
          const learnt = { serial: serials, recorded: record.operation, cost: turn.cost };
          executed.set(record, { ...learnt, document, operation, variables: coerced });
        },
      }),
      onResponse({ response, serverContext: { record } }) {
        const key = record && keys.get(record);
        const query = record && executed.get(record);
        const type = response.headers.get('content-type') ?? '';
        if (key === undefined || !query || !jsonType.test(type) || response.status !== 200) return;
        queries.set(key, { ...query, headers: { 'content-type': type } });
      },
    },
  };
}
