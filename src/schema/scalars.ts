import { DateTimeResolver, SafeIntResolver } from 'graphql-scalars';
import { builder } from './builder.ts';

builder.addScalarType('DateTime', DateTimeResolver);
builder.addScalarType('SafeInt', SafeIntResolver);

/** Whether a value is already as the scalar shows it. Times of rows are: ISO 8601 in UTC with milliseconds (`webhook.ts`). */
export const plainScalars: Readonly<Record<string, (value: unknown) => boolean>> = {
  DateTime: (value) => typeof value === 'string' && value.length === 24 && value.charCodeAt(23) === 90,
  SafeInt: Number.isSafeInteger,
};
