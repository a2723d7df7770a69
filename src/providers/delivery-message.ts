import type { DeliveryMessage } from '../delivery.ts';
import { isObject } from './wire.ts';

/** One side of a delivery as a provider logs it, of whatever type its parts are. */
export interface WireMessage {
  readonly headers: unknown;
  readonly body: unknown;
}

/** Characters of a body that are shown. */
const mostCharacters = 16_384;
const hiddenMark = '[hidden]';

/**
 * One side of a delivery, without the headers that sign or authenticate. Receivers may echo them, so their values are
 * hidden wherever either side repeats them. null where there is no such side.
 */
export function readMessage(message: WireMessage | null, otherSide: WireMessage | null): DeliveryMessage | null {
  if (!message) return null;
  const hidden = [message, otherSide].flatMap((side) => headersOf(side).filter(isSecretive)).flatMap(secretsIn);
  const show = (text: string) => hidden.reduce((shown, secret) => shown.replaceAll(secret, hiddenMark), text);
  const headers = headersOf(message).filter((header) => !isSecretive(header));
  const text = textOf(message.body);
  const body = text === null ? null : show(text);
  return {
    // Several values of one header are told in a row (RFC 9110, 5.3).
    headers: headers.map(({ name, values }) => ({ name, value: show(values.join(', ')) })),
    // The cut may leave half of a character.
    body: body === null ? null : body.slice(0, mostCharacters).toWellFormed(),
    isCut: body === null ? message.body != null : body.length > mostCharacters,
  };
}

interface Header {
  readonly name: string;
  readonly values: readonly string[];
}

/** A field name (RFC 9110, 5.1). */
const token = /^[\w!#$%&'*+.^`|~-]+$/;

function headersOf(message: WireMessage | null): Header[] {
  return Object.entries(isObject(message?.headers) ? message.headers : {}).flatMap(([name, said]) => {
    // What is nested deeper is no value, and may hold anything.
    const values = [said].flat().filter(isPlain).map(String);
    return values.length === 0 || !token.test(name) ? [] : [{ name, values }];
  });
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Names of what signs or authenticates, without case and punctuation. Rather too many; of keys, two are known to open nothing. */
const secretive =
  /sign|sig$|hmac|auth|cookie|token|secret|pass(w|$)|credential|session|jwt|bearer|pwd|apikey|accesskey|(?<!idempotency|surrogate)key$/;

/** Values of the documented form of a signature, and of credentials (RFC 9110, 11.4), whatever the header is called. */
const secretiveValue = /^(sha-?\d+=|(bearer|basic|digest|negotiate|token|apikey) )/i;

function isSecretive({ name, values }: Header): boolean {
  return secretive.test(name.toLowerCase().replace(/[^a-z\d]/g, '')) || values.some((it) => secretiveValue.test(it));
}

/** What is shorter may be a part of any word. */
const shortestSecret = 16;

/** What must not be repeated of a header: its values, and those without the word before, as in `Bearer …` and `sha256=…`. */
function secretsIn({ values }: Header): string[] {
  const all = values.flatMap((value) => [value, /^[\w-]+[ =](.+)$/s.exec(value)?.[1] ?? value]);
  return all.filter((text) => text.length >= shortestSecret);
}

/**
 * A body as text; JSON where it was logged as a value. null where there is none, and for one that is nested too deeply to
 * be written, which older releases of Node know.
 */
function textOf(body: unknown): string | null {
  if (body == null || typeof body === 'string') return body ?? null;
  try {
    return JSON.stringify(body);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
