import { expect, test } from 'vitest';
import { createSnapshot } from '../src/upstream/snapshot.ts';

const rowsOf = (ids: readonly string[]) => ids.map((id, place) => ({ id, place }));

test.each([
  ['that are far apart', ['b', 'a', 'c']],
  ['that end alike', ['one-and-the-same-end', 'two-and-the-same-end', 'and-the-same-end']],
  // 31 * 'A' + 'a' is 31 * 'B' + 'B'.
  ['whose marks are the same', ['Aa', 'BB', 'AaAa', 'BBBB', 'AaBB']],
  ['of any length', ['', '0', '00', '000000000', '0000000000']],
])('keeps all rows with ids %s', (_ids, ids) => {
  const { rows, rejected } = createSnapshot(rowsOf(ids));
  expect(rows).toEqual(rowsOf(ids));
  expect(rejected).toBe(0);
});

test('keeps the first of the rows that have one id, and counts the others and what could not be read', () => {
  const ids = ['BB', 'same', 'Aa', 'same', 'other', 'same', 'BB'];
  const { rows, rejected } = createSnapshot([null, ...rowsOf(ids)]);
  expect(rows).toEqual(rowsOf(ids).filter(({ place }) => [0, 1, 2, 4].includes(place)));
  expect(rejected).toBe(4);
});

test('finds one id that came twice among many that did not', () => {
  const ids = Array.from(
    { length: 2000 },
    (_none, place) => `0f8fad5b-d9cb-469f-a165-${String(place).padStart(12, '0')}`,
  );
  expect(createSnapshot(rowsOf(ids)).rejected).toBe(0);
  expect(createSnapshot(rowsOf([...ids, ids[1234] ?? ''])).rejected).toBe(1);
});
