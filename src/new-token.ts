import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { digestOf } from './tokens.ts';

/** What a header can carry (RFC 6750, 2.1), and no more than it may. */
const tokenPattern = /^[\w.~+/-]{1,4096}=*$/;

/**
 * What the command prints: for a token that comes on `input`, its digest; without one, a new token of 256 random bits and the
 * entry for `GATEWAY_TOKENS`. A terminal is not read from. Throws where what comes could not be sent as a token.
 */
export async function describeToken(input: NodeJS.ReadableStream & { readonly isTTY?: boolean }): Promise<string> {
  const given = input.isTTY ? '' : (await text(input)).trim();
  if (given === '') {
    const token = `hg_${randomBytes(32).toString('base64url')}`;
    return [
      `Token, for the caller alone:  ${token}`,
      `Entry for GATEWAY_TOKENS:     my-app webhooks:read ${digestOf(token)}`,
    ].join('\n');
  }
  if (!tokenPattern.test(given)) throw new Error('A token consists of letters, digits, and -._~+/ with = at its end.');
  return digestOf(given);
}
