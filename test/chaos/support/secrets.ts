import { afterAll, expect } from 'vitest';
import { spellings } from '../../support/secrets.ts';
import { writeSearched } from './figures.ts';

/** Every key of a suite has this word in it. */
const spelled = spellings('canary');

/** Keys of the upstreams that must show up nowhere. */
export const canaryKeys = { APIMALL_API_KEY: 'sk-canary-apimall-7f3a', DILIGENT_API_KEY: 'canary-diligent-91bc' };

let searchedBytes = 0;
let foundKeys = 0;

/** Looks for keys in what the program printed or answered. */
export function search(text: string): void {
  searchedBytes += text.length;
  if (spelled.some((spelling) => text.includes(spelling))) foundKeys += 1;
}

afterAll(() => {
  writeSearched({ searchedBytes, foundKeys });
  expect(foundKeys, 'keys in output and answers').toBe(0);
});
