import type { SourceReport } from '../request-source.ts';
import { type SourceErrorCode, type SourceFault, sourceErrorCodes } from '../source-error.ts';
import { builder } from './builder.ts';
import { WebhookSource } from './webhook-source.ts';

const WebhookSourceState = builder.enumType('WebhookSourceState', {
  description: 'How asking a source went.',
  values: {
    OK: { description: 'It answered whole.' },
    PARTIAL: { description: 'It answered, and rows are missing: see `error`.' },
    FAILED: { description: 'Nothing of it is in the answer: see `error`.' },
  } as const,
});

const codes = Object.keys(sourceErrorCodes) as SourceErrorCode[];

const WebhookSourceErrorCode = builder.enumType('WebhookSourceErrorCode', {
  description: 'Why a source could not be asked, or did not answer whole.',
  values: Object.fromEntries(codes.map((code) => [code, { description: sourceErrorCodes[code].message }])) as Record<
    SourceErrorCode,
    { description: string }
  >,
});

const WebhookSourceError = builder.objectRef<SourceFault>('WebhookSourceError').implement({
  description: 'What went wrong at a source.',
  fields: (t) => ({
    code: t.expose('code', { type: WebhookSourceErrorCode, nullable: false, description: 'The kind of fault.' }),
    message: t.exposeString('message', { nullable: false, description: 'The same in a sentence for people.' }),
    retryable: t.exposeBoolean('retryable', { nullable: false, description: 'Whether asking again may help.' }),
    httpStatus: t.exposeInt('httpStatus', {
      description: 'The HTTP status that the provider answered with, if it did.',
    }),
    retryAfterMs: t.exposeInt('retryAfterMs', {
      description:
        'How long the provider asks us to wait, in milliseconds; where it is not asked for that long, until it is.',
    }),
    providerCode: t.exposeString('providerCode', { description: "The provider's own code for the error." }),
    providerRequestId: t.exposeString('providerRequestId', {
      description: "The provider's id of the call, to name when asking its support.",
    }),
  }),
});

/** One source's part in an answer. */
export const WebhookSourceReport = builder.objectRef<SourceReport<unknown>>('WebhookSourceReport').implement({
  description: 'How one source contributed to an answer.',
  fields: (t) => ({
    source: t.expose('source', { type: WebhookSource, nullable: false, description: 'The source that was asked.' }),
    state: t.expose('state', { type: WebhookSourceState, nullable: false, description: 'How it went.' }),
    error: t.expose('error', { type: WebhookSourceError, description: 'What went wrong; null if the state is OK.' }),
    itemCount: t.int({
      nullable: false,
      description: 'Rows read, before any filter.',
      resolve: ({ rows }) => rows.length,
    }),
    rejectedCount: t.exposeInt('rejectedCount', { nullable: false, description: 'Rows that could not be read.' }),
    fetchedAt: t.field({
      type: 'DateTime',
      description: 'When the rows had arrived; null if none did.',
      extensions: { perRequest: true },
      resolve: ({ fetchedAt }) => (fetchedAt === null ? null : new Date(fetchedAt).toISOString()),
    }),
    durationMs: t.exposeFloat('durationMs', {
      extensions: { perRequest: true },
      description: 'How long it took, in milliseconds; null if no call was made.',
    }),
  }),
});
