import { Kind } from 'graphql';
import { DateTimeResolver, SafeIntResolver } from 'graphql-scalars';
import { InputError } from '../errors.ts';
import { builder } from './builder.ts';

builder.addScalarType('DateTime', DateTimeResolver);
builder.addScalarType('SafeInt', SafeIntResolver);

const longestSecret = 1024;

builder.scalarType('WebhookSecret', {
  description: `What deliveries are signed with: text of 1 to ${longestSecret} characters. It can be passed and never read: no answer, error or log line repeats it.`,
  serialize() {
    throw new Error('A secret was about to be shown.');
  },
  parseValue: readSecret,
  parseLiteral: (node) => readSecret(node.kind === Kind.STRING ? node.value : null),
});

/** Says what is wrong and not what it was. */
function readSecret(value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= longestSecret) return value;
  throw new InputError(`A secret must be text of 1 to ${longestSecret} characters. To have none, leave it out.`);
}

/** Whether a value is already as the scalar shows it. Times of rows are: ISO 8601 in UTC with milliseconds (`webhook.ts`). */
export const plainScalars: Readonly<Record<string, (value: unknown) => boolean>> = {
  DateTime: (value) => typeof value === 'string' && value.length === 24 && value.charCodeAt(23) === 90,
  SafeInt: Number.isSafeInteger,
};
