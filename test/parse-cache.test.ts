import { expect, test } from 'vitest';
import { createParseCache } from '../src/documents.ts';

/** How many of so many texts of so many characters are still there when the last has come. */
function keptOf(count: number, length: number): number {
  const cache = createParseCache<object>();
  const texts = Array.from({ length: count }, (_, number) => `${number}`.padEnd(length));
  for (const text of texts) cache.set(text, {});
  return texts.filter((text) => cache.get(text)).length;
}

test('keeps what was parsed last, as many texts as have a million characters together', () => {
  expect(keptOf(1000, 1000)).toBe(1000);
  expect(keptOf(1000, 100_000)).toBe(10);
  expect(keptOf(2000, 10)).toBe(1024);
});
