/** What a span says of itself: words and numbers that we chose, never a caller's text. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/**
 * A part of a trace, from when it is made until it ends. Nobody makes one but as part of another, so that where tracing is
 * off there is none.
 */
export interface Span {
  /** Identifies the whole, as hex. */
  readonly traceId: string;
  /** What a request carries so that its receiver's spans become parts of this one. */
  readonly headers: Readonly<Record<string, string>>;
  /** Begins a part of this one; `call` is a request that we send. */
  begin(name: string, attributes?: SpanAttributes, kind?: 'work' | 'call'): Span;
  set(attributes: SpanAttributes): void;
  /** Ends it, as failed where `fault` says in a word why. */
  end(fault?: string | null): void;
}
