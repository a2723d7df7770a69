import { hash } from 'node:crypto';
import { type Caller, type Scope, scopes } from './request.ts';

/** A token that callers may send, as far as it is known here: by its digest. */
export interface Token extends Caller {
  /** SHA-256 of the token, in lower-case hex. */
  readonly digest: string;
}

/** The only form in which a caller's name is kept, so that it may stand in logs as it is. */
export const callerNamePattern = /^[\w.@-]{1,64}$/;

const digestPattern = /^sha256:[\da-f]{64}$/i;

/** What an entry of `GATEWAY_TOKENS` holds of a token: `sha256:` and 64 hex digits. */
export function digestOf(token: string): string {
  return `sha256:${hash('sha256', token)}`;
}

/**
 * Reads a list of tokens: entries with commas or line breaks between them, each a name, scopes and a digest. Faults name the
 * entry by its number, counted from 1, and never show its text: it may hold the token itself by mistake.
 */
export function readTokens(text: string, faults: string[]): readonly Token[] {
  const entries = text.split(/[,\n]/).map((entry) => entry.trim().split(/\s+/));
  const tokens: Token[] = [];
  for (const [index, words] of entries.filter(([first]) => first !== '').entries()) {
    const token = readEntry(words, tokens);
    if (typeof token === 'string') faults.push(`entry ${index + 1} ${token}`);
    else tokens.push(token);
  }
  if (tokens.length === 0 && faults.length === 0) faults.push('names no token');
  return tokens;
}

/** The token, or what is wrong with it. */
function readEntry(words: readonly string[], others: readonly Token[]): Token | string {
  const [name = '', ...rest] = words;
  const last = rest.at(-1) ?? '';
  const given = rest.slice(0, -1);
  if (!callerNamePattern.test(name)) return 'must begin with a name of 1 to 64 letters, digits, or any of _.@-';
  if (!digestPattern.test(last)) return 'must end with sha256: and 64 hex digits';
  if (given.length === 0 || !given.every(isScope)) return `must have scopes after its name, among ${scopes.join(', ')}`;
  const digest = last.slice('sha256:'.length).toLowerCase();
  if (others.some((other) => other.name === name)) return 'has the name of another';
  if (others.some((other) => other.digest === digest)) return 'has the digest of another';
  return { name, scopes: new Set(given.filter(isScope)), digest };
}

/** Whether a word is one of our scopes: issuers may give others, too. */
export function isScope(word: unknown): word is Scope {
  return scopes.some((scope) => scope === word);
}
