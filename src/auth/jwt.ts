import { hash } from 'node:crypto';
import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { JwtConfig } from '../config-auth.ts';
import type { Caller } from '../request.ts';
import { callerNamePattern, isScope } from '../tokens.ts';
import type { KeySet } from './key-set.ts';

/** Reads who calls from a JWT. Throws for one that is not good, and what `find` throws. */
export type ReadJwt = (token: string) => Promise<Caller>;

/** Signatures that only the issuer can make: with a shared secret (HS256), whoever checks tokens could make them, too. */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Seconds that clocks may differ by. */
const clockTolerance = 10;

/** Keys that are tried for a token that names none: an issuer has two or three while it changes them. */
const mostTried = 4;

/** Checks tokens of one issuer for one audience. `taken` are names that belong to others, so that no subject can take one. */
export function createJwtReader(
  { issuer, audience }: Pick<JwtConfig, 'issuer' | 'audience'>,
  { find, renew }: Pick<KeySet, 'find' | 'renew'>,
  taken: ReadonlySet<string>,
): ReadJwt {
  const options = { issuer, audience, algorithms, clockTolerance, requiredClaims: ['exp'] };
  return async (token) => {
    const payload = await verify(token, find, options).catch(async (error) => {
      // The issuer may have put another key in the place of the one that we know.
      const isForeign =
        error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSMultipleMatchingKeys;
      if (!isForeign || !(await renew())) throw error;
      return await verify(token, find, options);
    });
    const scopes = new Set([...wordsOf(payload.scope), ...wordsOf(payload.scp)].filter(isScope));
    return { name: nameOf(subjectOf(payload), taken), scopes };
  };
}

/** What a token says. One need not name its key (RFC 7515, 4.1.4): of several that it may be signed with, one must fit. */
async function verify(token: string, findKey: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, findKey, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let tried = 0;
    for await (const key of error) {
      tried += 1;
      if (tried > mostTried) break;
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (mismatch) {
        if (!(mismatch instanceof errors.JWSSignatureVerificationFailed)) throw mismatch;
      }
    }
    throw error;
  }
}

/** The user or, where the token is a program's own, the program (RFC 9068, 2.2). */
function subjectOf({ sub, client_id: client }: JWTPayload): string {
  const subject = [sub, client].find((claim) => typeof claim === 'string' && claim !== '');
  if (typeof subject !== 'string') throw new Error('The token names neither a subject nor a client.');
  return subject;
}

/** The subject as a name, with a digest where that would make two of them one. */
function nameOf(subject: string, taken: ReadonlySet<string>): string {
  if (callerNamePattern.test(subject) && !taken.has(subject)) return subject;
  return `${subject.slice(0, 55).replace(/[^\w.@-]/g, '_')}.${hash('sha256', subject).slice(0, 8)}`;
}

/** Scopes as issuers write them: a text with spaces (RFC 8693, 4.2) or a list. */
function wordsOf(claim: unknown): readonly unknown[] {
  if (Array.isArray(claim)) return claim;
  return typeof claim === 'string' ? claim.split(' ') : [];
}
