import type { SourceError, SourceErrorCode } from '../source-error.ts';
import type { Request } from './exchange.ts';
import type { ReadProblem } from './problem.ts';
import type { FindVolatile } from './reuse.ts';
import type { WriteReading } from './write.ts';

/** What a provider's operation calls its API with: address, key and deadline are in it already. */
export interface Http {
  /**
   * GETs `path` (from the base URL, with a leading slash) and reads the JSON answer, trying again where that may help. An
   * answer that says what the last one said, byte for byte, gives the same object as the last. Throws a `SourceError` for
   * whatever else comes.
   */
  getJson<T extends object>(path: string, reading: Reading<T>): Promise<T>;
  /** The error of an answer 200 that is a failure all the same, with what the provider says of it. */
  failure(code: SourceErrorCode, said: ReturnType<ReadProblem>): SourceError;
}

/** What a provider's write is made with. */
export interface WriteHttp extends Pick<Http, 'failure'> {
  /**
   * Sends one request, once, whatever happens, and makes something of an answer that says that it was done. Throws a
   * `SourceError` where it was not done, and an `UnknownOutcome` where nobody knows.
   */
  send<T>(
    method: Exclude<Request['method'], 'GET'>,
    path: string,
    body: object | null,
    reading: WriteReading<T> & { readonly problem: ReadProblem },
  ): Promise<T>;
}

/** How answers are read. It must depend on nothing but the body: what is made of one may be used for the next. */
export interface Reading<T> {
  /** Makes something of the JSON, which nobody changes; null where it is not what was asked for. */
  readonly read: (json: unknown) => T | null;
  /** Finds the provider's own code and request id in the body of an error answer. */
  readonly problem: ReadProblem;
  /** null where nothing of an answer may be kept for the next. */
  readonly findVolatile: FindVolatile<T> | null;
}
