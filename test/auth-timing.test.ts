import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createTokenList } from '../src/auth/token-list.ts';
import { digestOf, readTokens } from '../src/tokens.ts';

const samples = 20_000;
/** Of all times, the part that is kept: what is slower met something else of this machine. */
const kept = 0.9;

/** Texts of the same length: half of them `right` up to their last eight characters, half like it in nothing. */
function candidates(right: string): { readonly text: string; readonly isNear: boolean }[] {
  const other = (length: number) => randomBytes(length).toString('base64url').slice(0, length);
  return Array.from({ length: 2 * samples }, (_, index) => {
    const isNear = index % 2 === 0;
    // By way of bytes, so that both kinds are one in memory.
    const text = (isNear ? right.slice(0, -8) : other(right.length - 8)) + other(8);
    return { text: Buffer.from(text).toString('latin1'), isNear, order: Math.random() };
  }).sort((a, b) => a.order - b.order);
}

/** Welch's t between the times that near and far candidates take, as dudect has it (Reparaz, Balasch, Verbauwhede 2017). */
function leak(check: (text: string) => unknown, right: string): number {
  const all = candidates(right);
  for (const { text } of all.slice(0, samples)) check(text);
  const times = all.map(({ text, isNear }) => {
    const started = process.hrtime.bigint();
    check(text);
    return { isNear, ns: Number(process.hrtime.bigint() - started) };
  });
  const most = times.map(({ ns }) => ns).sort((a, b) => a - b)[Math.floor(times.length * kept)] ?? 0;
  const [near, far] = [true, false].map((kind) => {
    const own = times.filter(({ isNear, ns }) => isNear === kind && ns <= most).map(({ ns }) => ns);
    const mean = own.reduce((sum, ns) => sum + ns, 0) / own.length;
    return { mean, error: own.reduce((sum, ns) => sum + (ns - mean) ** 2, 0) / (own.length - 1) / own.length };
  });
  if (!near || !far) throw new Error('There are two kinds');
  return (near.mean - far.mean) / Math.sqrt(near.error + far.error);
}

/** What a comparison is that nobody thought about. */
function isSame(one: string, other: string): boolean {
  for (let index = 0; index < one.length; index += 1) {
    if (one.charCodeAt(index) !== other.charCodeAt(index)) return false;
  }
  return one.length === other.length;
}

test('takes no longer for what is nearly a token than for what is nothing like it', () => {
  const right = `hg_${randomBytes(32).toString('base64url')}`;
  const find = createTokenList(readTokens(`app webhooks:read ${digestOf(right)}`, []));
  expect(find(right)?.name).toBe('app');
  const t = leak(find, right);
  process.stdout.write(`t of the list of tokens: ${t.toFixed(2)}\n`);
  expect(Math.abs(t)).toBeLessThan(4.5);
});

test('would take longer, if it compared one character after the other', () => {
  const right = randomBytes(600).toString('base64url');
  const t = leak((text) => isSame(text, right), right);
  process.stdout.write(`t of a naive comparison: ${t.toFixed(2)}\n`);
  expect(t).toBeGreaterThan(45);
});
