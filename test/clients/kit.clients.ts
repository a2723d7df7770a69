import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { printOperations } from './operations.ts';

test('the documents are of the queries in the README, typed by the schema (else run: npm run kit)', async () => {
  const files = Object.entries(await printOperations());
  expect(files.map(([path]) => path)).toEqual(['src/client/operations.js', 'src/client/operations.d.ts']);
  for (const [path, text] of files) {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), path).toBe(text);
  }
});
