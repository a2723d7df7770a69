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

test('keeps no text with a mutation in it, as a secret may stand there', () => {
  const cache = createParseCache<object>();
  const isKept = (text: string) => {
    cache.set(text, {});
    return cache.get(text) !== undefined;
  };
  const create = 'createWebhook(input: { secret: "s3cret" }) { webhook { id } } }';
  for (const text of [
    `mutation { ${create}`,
    `mutation Create { ${create}`,
    `query Q { webhooks { complete } } mutation{${create}`,
    `#\nmutation@skip(if: false){${create}`,
  ]) {
    expect(isKept(text)).toBe(false);
  }
  expect(isKept(`query { ${create}`)).toBe(true);
  expect(isKept('{ __schema { mutationType { name } } }')).toBe(true);
});
