import { type WriteErrorCode, writeErrorCodes } from '../request.ts';
import { builder } from './builder.ts';
import { WebhookSourceReport } from './webhook-source-report.ts';
import type { UserError, Warning, WriteOutcome } from './write-outcome.ts';

const errorDescriptions: Readonly<Record<WriteErrorCode, string>> = {
  INVALID: 'The input is wrong, as we or the provider found.',
  NOT_FOUND: 'The provider does not know what the id names.',
  UNSUPPORTED_BY_PROVIDER: 'The provider offers no such thing, and nothing is emulated: see `capabilities`.',
  WRITES_DISABLED: 'Nothing can be changed through this graph.',
  LIMIT_REACHED: 'The account has as many webhooks as its provider allows.',
  UNAUTHORIZED: 'The provider did not accept the key.',
  FORBIDDEN: 'The provider does not let this key do that.',
  RATE_LIMITED: 'The provider is being asked too often. Nothing was done.',
  SOURCE_FAILED: 'It failed at the provider, or before it got there: see `report`.',
  OUTCOME_UNKNOWN:
    'It may have been done, and no answer says so. The message tells what the provider shows now. Look before doing it again: it was not tried again, as it might be done twice.',
};

const WebhookUserErrorCode = builder.enumType('WebhookUserErrorCode', {
  description: 'Why a change was not made, or that nobody knows.',
  values: Object.fromEntries(writeErrorCodes.map((code) => [code, { description: errorDescriptions[code] }])) as Record<
    WriteErrorCode,
    { description: string }
  >,
});

const WebhookWarningCode = builder.enumType('WebhookWarningCode', {
  description: 'What there is to mind about a change.',
  values: {
    UNKNOWN_EVENT: { description: 'The provider does not document an event of this name.' },
    NO_EVENTS: { description: 'No event is asked for.' },
    NOT_IDENTIFIED: { description: 'It was done, and which webhook it was done to could not be told.' },
  } as const,
});

/** The lists of a payload are short: rarely more than one. */
const few = { field: 1, multiplier: 1 };

const WebhookUserError = builder.objectRef<UserError>('WebhookUserError').implement({
  description: 'Why a change was not made, or that nobody knows whether it was.',
  fields: (t) => ({
    field: t.stringList({
      complexity: few,
      description: 'The path below `input` to what is wrong; null where it is about no field.',
      resolve: ({ field }) => field && [...field],
    }),
    message: t.exposeString('message', { nullable: false, description: 'A sentence for people.' }),
    code: t.expose('code', { type: WebhookUserErrorCode, nullable: false, description: 'The kind of error.' }),
  }),
});

const WebhookWarning = builder.objectRef<Warning>('WebhookWarning').implement({
  description: 'What there is to mind about a change, which may have been made all the same.',
  fields: (t) => ({
    field: t.stringList({
      complexity: few,
      description: 'The path below `input` to what it is about; null where it is about no field.',
      resolve: ({ field }) => field && [...field],
    }),
    message: t.exposeString('message', { nullable: false, description: 'A sentence for people.' }),
    code: t.expose('code', { type: WebhookWarningCode, nullable: false, description: 'The kind of warning.' }),
  }),
});

/** What a change costs beside what is selected of it: an operation has room for thirty, which are made one after the other. */
export const writeCost = { field: 4900, multiplier: 1 };

/** Makes the type of a payload, with what all payloads have. */
export function createPayload<O extends WriteOutcome>(name: string, description: string) {
  return builder.objectRef<O>(name).implement({
    description,
    fields: (t) => ({
      userErrors: t.field({
        type: [WebhookUserError],
        nullable: false,
        complexity: few,
        description: 'Empty where it was done.',
        resolve: ({ userErrors }) => userErrors,
      }),
      warnings: t.field({
        type: [WebhookWarning],
        nullable: false,
        complexity: few,
        description: 'What to mind, be it done or not.',
        resolve: ({ warnings }) => warnings,
      }),
      report: t.field({
        type: WebhookSourceReport,
        description:
          'How the provider answered the change itself; null where it was refused before the source was asked.',
        resolve: ({ report }) => report,
      }),
    }),
  });
}
