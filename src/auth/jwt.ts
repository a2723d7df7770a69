import { hash } from 'node:crypto';
import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
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

/** Tokens that were found good, of which the longest unused are forgotten first. */
const mostKnown = 10_000;

/** What a token said that was found good. */
interface Known {
  readonly name: string;
  /** The name where that one belongs to somebody else. */
  readonly otherName: string;
  readonly scopes: Caller['scopes'];
  /** Seconds since 1970. */
  readonly expiresAt: number;
  /** The reading of the issuer's keys that it was found good by. */
  readonly reading: number;
}

/**
 * Checks tokens of one issuer for one audience. `taken` are names that belong to others, so that no subject can take one. A
 * signature takes longer to check than most requests to answer, so that of one token is checked once for each reading of the keys.
 */
export function createJwtReader(
  { issuer, audience }: Pick<JwtConfig, 'issuer' | 'audience'>,
  { find, renew, readings }: Pick<KeySet, 'find' | 'renew' | 'readings'>,
  taken: ReadonlySet<string>,
): ReadJwt {
  const options = { issuer, audience, algorithms, clockTolerance, requiredClaims: ['exp'] };
  /** By digest: no token is kept. */
  const known = new LRUCache<string, Known>({ max: mostKnown });

  async function check(token: string): Promise<Known> {
    // Before the keys are looked up, as they may be read anew while this one is checked.
    const reading = readings();
    const payload = await verify(token, find, options).catch(async (error) => {
      // The issuer may have put another key in the place of the one that we know.
      const isForeign =
        error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSMultipleMatchingKeys;
      if (!isForeign || !(await renew())) throw error;
      return await verify(token, find, options);
    });
    const scopes = new Set([...wordsOf(payload.scope), ...wordsOf(payload.scp)].filter(isScope));
    return { ...namesOf(subjectOf(payload)), scopes, expiresAt: Number(payload.exp), reading };
  }

  return async (token) => {
    const digest = hash('sha256', token);
    let found = known.get(digest);
    if (!found || found.reading !== readings() || hasExpired(found)) {
      known.delete(digest);
      found = await check(token);
      known.set(digest, found);
    }
    const { name, otherName, scopes } = found;
    return { name: taken.has(name) ? otherName : name, scopes };
  };
}

/** By the same rule as jose's. */
function hasExpired({ expiresAt }: Known): boolean {
  return expiresAt <= Math.floor(Date.now() / 1000) - clockTolerance;
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
function namesOf(subject: string): Pick<Known, 'name' | 'otherName'> {
  const otherName = `${subject.slice(0, 55).replace(/[^\w.@-]/g, '_')}.${hash('sha256', subject).slice(0, 8)}`;
  return { name: callerNamePattern.test(subject) ? subject : otherName, otherName };
}

/** Scopes as issuers write them: a text with spaces (RFC 8693, 4.2) or a list. */
function wordsOf(claim: unknown): readonly unknown[] {
  if (Array.isArray(claim)) return claim;
  return typeof claim === 'string' ? claim.split(' ') : [];
}
