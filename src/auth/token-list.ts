import { hash, timingSafeEqual } from 'node:crypto';
import type { Caller } from '../request.ts';
import type { Token } from '../tokens.ts';

/** Finds whose token this is; null where it is nobody's. */
export type FindCaller = (token: string) => Caller | null;

/** Compared with where no digest is found, so that both ways are one. */
const noDigest = Buffer.alloc(32);

/**
 * Looks tokens up by their digest, of which nobody can choose a part: how long that takes tells nothing of a token, and what
 * comes after it takes the same time for each.
 */
export function createTokenList(tokens: readonly Token[]): FindCaller {
  const known = new Map(
    tokens.map(({ name, scopes, digest }) => [
      digest,
      { caller: { name, scopes }, digest: Buffer.from(digest, 'hex') },
    ]),
  );
  return (token) => {
    const digest = hash('sha256', token, 'buffer');
    const found = known.get(digest.toString('hex'));
    const isSame = timingSafeEqual(digest, found?.digest ?? noDigest);
    return isSame && found ? found.caller : null;
  };
}
