import type { WriteErrorCode } from '../request.ts';
import type { SourceReport } from '../request-source.ts';
import type { Webhook } from '../webhook.ts';

/** Why a write was not done, or that nobody knows. `field` is the path below `input`, null where it is about no field. */
export interface UserError {
  readonly field: readonly string[] | null;
  readonly message: string;
  readonly code: WriteErrorCode;
}

/** What to mind about a write that may be done all the same. */
export interface Warning extends Pick<UserError, 'field' | 'message'> {
  readonly code: 'UNKNOWN_EVENT' | 'NO_EVENTS' | 'NOT_IDENTIFIED';
}

/** What a payload shows of a write. */
export interface WriteOutcome<W extends Webhook = Webhook> {
  /** Empty where it was done. */
  readonly userErrors: readonly UserError[];
  readonly warnings: readonly Warning[];
  /** null where it was refused before the source was asked. */
  readonly report: SourceReport<never> | null;
  readonly webhook: W | null;
}

/** What a source shows after a write, and a sentence on it. */
export interface Sight<W extends Webhook> {
  readonly webhook: W | null;
  readonly says: string;
}
