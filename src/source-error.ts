/** What can go wrong between us and one source: the fixed sentence that clients see, and whether asking again may help. */
export const sourceErrorCodes = {
  NOT_CONFIGURED: { message: 'This source has no key here.', retryable: false },
  BAD_CREDENTIAL: { message: 'The key is not 1 to 256 visible ASCII characters.', retryable: false },
  UNAUTHORIZED: { message: 'The provider did not accept the key.', retryable: false },
  FORBIDDEN: { message: 'The provider does not let this key do that.', retryable: false },
  NOT_FOUND: { message: 'The provider does not know what was asked for.', retryable: false },
  RATE_LIMITED: { message: 'The provider is being asked too often.', retryable: true },
  TIMEOUT: { message: 'The provider did not answer in time.', retryable: true },
  UNREACHABLE: { message: 'The connection to the provider failed.', retryable: true },
  UPSTREAM_ERROR: { message: 'The provider reported a fault of its own.', retryable: true },
  BAD_RESPONSE: { message: "The provider's answer could not be read.", retryable: false },
  TOO_LARGE: { message: "The provider's answer is larger than allowed.", retryable: false },
  CIRCUIT_OPEN: { message: 'The provider failed repeatedly and is not being asked for a moment.', retryable: true },
  OVERLOADED: { message: 'Too many calls to the provider are under way.', retryable: true },
} as const;

export type SourceErrorCode = keyof typeof sourceErrorCodes;

/** What went wrong at a source, as data that clients may see: none of it is an upstream's text. */
export interface SourceFault {
  readonly code: SourceErrorCode;
  readonly message: string;
  /** Whether asking again may help. */
  readonly retryable: boolean;
  /** The status that the upstream answered with. */
  readonly httpStatus: number | null;
  readonly retryAfterMs: number | null;
  readonly providerCode: string | null;
  readonly providerRequestId: string | null;
}

/** What the place that finds a fault knows of it beside its code; `message` where the sentence of the code says too little. */
export type SourceFaultDetails = {
  readonly [Member in keyof SourceFault]?: SourceFault[Member] | undefined;
} & {
  /** Names, in the provider's spelling, of what it objects to in what was sent. */
  readonly objections?: readonly string[] | undefined;
};

/** A source could not be read, or not whole. The only error that upstream and provider code throws on purpose. */
export class SourceError extends Error {
  override readonly name: string = 'SourceError';
  readonly fault: SourceFault;
  /** Never shown: whoever knows these names says what they mean. */
  readonly objections: readonly string[];

  constructor(code: SourceErrorCode, details: SourceFaultDetails = {}, cause?: unknown) {
    const { message, retryable } = sourceErrorCodes[code];
    super(details.message ?? message, { cause });
    this.fault = {
      code,
      message: this.message,
      retryable: details.retryable ?? retryable,
      httpStatus: details.httpStatus ?? null,
      retryAfterMs: details.retryAfterMs ?? null,
      providerCode: shortWord(details.providerCode),
      providerRequestId: shortWord(details.providerRequestId),
    };
    this.objections = details.objections ?? [];
  }
}

/** A write failed when it may have been done already: nobody knows whether it was, and once more may be once too often. */
export class UnknownOutcome extends SourceError {
  override readonly name = 'UnknownOutcome';

  constructor({ fault }: SourceError, cause?: unknown) {
    super(fault.code, { ...fault, retryable: false }, cause);
  }
}

/** The only form in which a word of an upstream's error answer may reach a client. */
function shortWord(text: string | null | undefined): string | null {
  return text != null && /^[\w.-]{1,64}$/.test(text) ? text : null;
}

/** What a source lacked in an answer. */
export interface SourceLack {
  readonly source: string;
  readonly state: 'FAILED' | 'PARTIAL';
  readonly fault: SourceFault;
}
