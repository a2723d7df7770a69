import type { IncomingHttpHeaders } from 'node:http';
import { getOperationAST, getVariableValues } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import type { Compilable, CompiledQuery } from './compile.ts';
import { createCompiledQueries } from './compiled-queries.ts';
import type { Context } from './context.ts';
import { formatLack } from './errors.ts';
import { odd } from './query-writer.ts';
import { noteErrors, noteOperation } from './recording.ts';
import { isAllowed, type Operation, type RequestRecord } from './request.ts';
import type { SourceReport } from './request-source.ts';
import { schema } from './schema/index.ts';
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

/** A query that was executed without an error, but of those that sources left beside data. */
interface Learnt extends Compilable {
  readonly serial: number;
  readonly recorded: Operation | null;
  readonly cost: number;
  readonly headers: ReadyAnswer['headers'];
  /** The sources whose rows are in the answer, once it was made. */
  asked?: readonly string[];
}

/** Requests that are known, and the bytes that they and their queries may take. */
const mostQueries = { max: 1000, maxSize: 25_165_824 };
/** What is made of a request takes so many bytes for each of its characters, and of its query's text. */
const bytesPerCharacter = 50;
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

function sizeOf({ document }: Learnt, key: string): number {
  return (key.length + (document.loc?.end ?? 0)) * bytesPerCharacter;
}

/** Whether an error says that a query cannot be run so: with all rows there, and somebody who waits for them, it will say so again. */
function isOfQuery(error: unknown, { record, signal }: Context): boolean {
  return error === odd && !signal.aborted && record.reads.every(({ state }) => state === 'OK');
}

/** Nothing is known yet. What is kept is bounded; what was used longest ago goes first. */
export function createAnswers({ openContext, turns, reuseAnswers }: AnswersOptions): Answers {
  const queries = new LRUCache<string, Learnt>({ ...mostQueries, sizeCalculation: sizeOf });
  const compiledQueries = createCompiledQueries();
  /** By the query and the lists that they were made of. */
  const kept = new LRUCache<string, Buffer>({ ...mostAnswers, sizeCalculation: (body) => body.length + 200 });
  const cameBefore = createSightings();
  const keys = new WeakMap<RequestRecord, string>();
  const executed = new WeakMap<RequestRecord, Omit<Learnt, 'headers'>>();
  const contexts = new WeakMap<RequestRecord, Context>();
  let serials = 0;

  /** What the sources say whose rows are in the answer; null where it is made anew, whatever they say. */
  function askAgain(
    { asked }: Learnt,
    { isPerRequest }: CompiledQuery<Context>,
    { sources }: Context,
  ): Promise<(SourceReport | undefined)[]> | null {
    if (!reuseAnswers || !asked || isPerRequest) return null;
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
  async function answerWith(
    compiled: CompiledQuery<Context>,
    query: Learnt,
    context: Context,
    send: (answer: ReadyAnswer) => void,
  ): Promise<boolean> {
    const { record, failures, signal } = context;
    const name = nameAnswer(query, await askAgain(query, compiled, context));
    const last = name === null ? undefined : kept.get(name);
    if (last) {
      record.isReused = true;
      context.turn.pass();
      send({ headers: query.headers, body: last });
      return true;
    }
    const isMade = await run(compiled, query, context, (data) => {
      // For who left, it lacks rows.
      if (signal.aborted) return true;
      const errors = failures.map(({ lack, place }) => formatLack(lack, place));
      noteErrors(record, { errors });
      const body = Buffer.from(JSON.stringify(errors.length > 0 ? { data, errors } : { data }));
      query.asked ??= [...context.sources.values()]
        .filter((source) => source.wasAsked())
        .map(({ key: asked }) => asked);
      if (name !== null) kept.set(name, body);
      send({ headers: query.headers, body });
      return true;
    });
    if (!isMade) contexts.set(record, context);
    return isMade !== null;
  }

  /** null where the ordinary executor has to run the query, on the same context: whatever it was, that says it as it is to be said. */
  async function run<R>(
    compiled: CompiledQuery<Context>,
    query: Compilable,
    context: Context,
    use: (data: object) => R,
  ): Promise<R | null> {
    try {
      return await compiled.run(context, query.variables, use);
    } catch (error) {
      if (isOfQuery(error, context)) compiledQueries.giveUp(query);
      context.failures.length = 0;
      return null;
    }
  }

  return {
    async answer(request, send) {
      const { record, headers } = request;
      const key = [request.method, request.url, headers.accept, request.body].join('\n');
      const query = queries.get(key);
      if (!query) keys.set(record, key);
      const compiled = query && compiledQueries.find(query);
      // Who may not read is told so on the ordinary way.
      if (!compiled || !isAllowed(record, 'webhooks:read')) return false;
      noteOperation(record, query.recorded);
      const turn = turns.join();
      await turn.begin(query.cost);
      if (request.signal.aborted) {
        turn.pass();
        return true;
      }
      // Not before: what is made while this waits would be old when the rows come, see `exchange`.
      return answerWith(compiled, query, openContext(request, turn), send);
    },
    contextOf: (record) => contexts.get(record),
    plugin: {
      onExecute({ args, executeFn, setExecuteFn }) {
        const { document, operationName, variableValues, contextValue } = args;
        const { record, turn } = contextValue;
        const operation = getOperationAST(document, operationName);
        // The text of a mutation may hold a secret, and would be kept as a key.
        if (operation?.operation !== 'query') return;
        const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variableValues ?? {});
        if (!coerced) return;
        const query = { document, operation, variables: coerced };
        // What was tried already is not tried again.
        const compiled = contexts.has(record) ? null : compiledQueries.find(query);
        if (compiled) {
          setExecuteFn(async () => (await run(compiled, query, contextValue, (data) => ({ data }))) ?? executeFn(args));
        }
        return {
          onExecuteDone({ result }) {
            // What comes with its id is to be registered each time: what is registered is forgotten at another time.
            if (!keys.has(record) || record.comesWithId || isAsyncIterable(result) || result.errors) return;
            serials += 1;
            executed.set(record, { ...query, serial: serials, recorded: record.operation, cost: turn.cost });
          },
        };
      },
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
