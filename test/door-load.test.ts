import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLoad } from '../src/door/load.ts';

/** Keeps the event loop late for a while, with moments between in which its timers run. */
async function stall(ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(1)) {
    for (const busyUntil = performance.now() + 400; performance.now() < busyUntil; );
  }
}

test('turns requests away while the event loop is late, and takes them again when it is not', async () => {
  const load = createLoad(10);
  expect(load.enter()).toBeNull();
  await stall(2400);
  expect(load.enter()).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  await expect.poll(() => load.enter(), { interval: 200 }).toBeNull();
  load.close();
});

test('lets in only as many as may be in at once, and one more for each that leaves', () => {
  const load = createLoad(2);
  expect([load.enter(), load.enter(), load.enter()]).toEqual([null, null, expect.objectContaining({ status: 503 })]);
  load.leave();
  expect([load.enter(), load.enter()]).toEqual([null, expect.objectContaining({ status: 503 })]);
  load.close();
});
