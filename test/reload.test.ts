import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, type Program, startProgram } from './support/program.ts';
import { diligentRow } from './support/rows.ts';
import { after, json, startUpstream, type TestUpstream } from './support/upstream.ts';

const query = '{ webhooks { totalCount complete } }';
const whole = { data: { webhooks: { totalCount: 1, complete: true } } };
const list = json([diligentRow()]);
const patient = { UPSTREAM_DEADLINE_MS: '9000', UPSTREAM_ATTEMPT_TIMEOUT_MS: '9000' };

const folder = mkdtempSync(join(tmpdir(), 'hookgraph-reload-'));
const file = join(folder, 'key');
/** The keys that the upstream takes. */
let good = new Set(['first']);
let answer: RequestListener = list;
let upstream: TestUpstream;
let program: Program;

beforeAll(async () => {
  turn('first\n');
  upstream = await startUpstream((request, response) =>
    (good.has(String(request.headers['x-api-key'])) ? answer : json({ detail: 'no' }, 401))(request, response),
  );
  program = await startProgram({ DILIGENT_API_KEY_FILE: file, DILIGENT_API_URL: upstream.url, ...patient });
});

afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await upstream.stop();
  rmSync(folder, { recursive: true });
});

let turns = 0;

/** Turns the file to another content as Kubernetes does: by a link to a folder that is renamed into place. */
function turn(content: string): void {
  const data = join(folder, `data-${turns++}`);
  mkdirSync(data);
  writeFileSync(join(data, 'key'), content);
  symlinkSync(data, join(folder, 'next'));
  renameSync(join(folder, 'next'), join(folder, 'now'));
  if (turns === 1) symlinkSync(join('now', 'key'), file);
}

const keyOf = ({ headers }: TestUpstream['calls'][number]) => headers['x-api-key'];
const lastKey = async () => {
  await ask(program.url, query);
  return keyOf(upstream.calls.at(-1) ?? expect.fail('no call'));
};
const warnings = () => program.output().match(/DILIGENT_API_KEY_FILE: [^"\n]*/g) ?? [];

test('takes a new key while it is asked, without an answer that lacks anything', async () => {
  good = new Set(['first', 'second']);
  let isOver = false;
  const answers: unknown[] = [];
  const clients = Array.from({ length: 4 }, async () => {
    while (!isOver) answers.push(await ask(program.url, query));
  });
  turn('second\n');
  await expect.poll(() => upstream.calls.some((call) => keyOf(call) === 'second')).toBe(true);
  // The old key is out of use: from here on it is refused.
  await sleep(100);
  good = new Set(['second']);
  const before = answers.length;
  await expect.poll(() => answers.length).toBeGreaterThan(before + 100);
  isOver = true;
  await Promise.all(clients);
  expect(answers.filter((it) => JSON.stringify(it) !== JSON.stringify(whole))).toEqual([]);
  expect(warnings()).toEqual(['DILIGENT_API_KEY_FILE: has changed; it is in use']);
});

test('finishes a call that is under way with the key that it began with', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  answer = after(() => released, list);
  const before = upstream.calls.length;
  const early = ask(program.url, query);
  await expect.poll(() => upstream.calls.length).toBe(before + 1);
  answer = list;
  good = new Set(['second', 'third']);
  const told = warnings().length;
  turn('third');
  // Who asked before would wait for the same call.
  await expect.poll(() => warnings().length).toBe(told + 1);
  expect(await lastKey()).toBe('third');
  release();
  expect(await early).toEqual(whole);
  expect(keyOf(upstream.calls[before] ?? expect.fail('no call'))).toBe('second');
});

test('keeps its key while the file holds none, and says so once', async () => {
  const told = warnings().length;
  for (const content of ['', 'canary canary', 'third']) {
    const said = warnings().length;
    turn(content);
    await expect.poll(() => warnings().length).toBe(said + 1);
    expect(await ask(program.url, query)).toEqual(whole);
  }
  rmSync(file);
  await expect.poll(() => warnings().length).toBe(told + 4);
  expect(await lastKey()).toBe('third');
  expect(warnings().slice(told)).toEqual([
    'DILIGENT_API_KEY_FILE: the file is empty; what was read before stays in use',
    'DILIGENT_API_KEY_FILE: must be 1 to 256 visible ASCII characters; what was read before stays in use',
    'DILIGENT_API_KEY_FILE: is in order again; it is in use',
    'DILIGENT_API_KEY_FILE: the file cannot be read (ENOENT); what was read before stays in use',
  ]);
  expect(program.output()).not.toMatch(/canary|first|second|third/);
});
