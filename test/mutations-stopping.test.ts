import { expect, test } from 'vitest';
import { startProgram } from './support/program.ts';
import { diligentRow } from './support/rows.ts';
import { json, startUpstream } from './support/upstream.ts';

test('tells of writes whose callers left before it stops: of those that end, and of those that it has to cut', async () => {
  const stopped = Promise.withResolvers<void>();
  await using upstream = await startUpstream(async (request, response) => {
    // What API Mall is asked is never answered.
    if (!request.headers['x-api-key']) return;
    await stopped.promise;
    setTimeout(() => json(diligentRow())(request, response), 200);
  });
  await using program = await startProgram({
    APIMALL_API_KEY: 'k',
    APIMALL_API_URL: upstream.url,
    DILIGENT_API_KEY: 'k',
    DILIGENT_API_URL: upstream.url,
    WRITES: 'on',
    DRAIN_MS: '900',
  });
  const left = new AbortController();
  const input = '(input: { url: "https://hooks.acme.example", events: [] })';
  const asked = ['createDiligentWebhook', 'createApiMallWebhook'].map((field) =>
    fetch(program.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `mutation { ${field}${input} { userErrors { code } } }` }),
      signal: left.signal,
    }),
  );
  await expect.poll(() => upstream.calls.length).toBe(2);
  left.abort();
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect.poll(() => program.lines().filter(({ outcome }) => outcome === 'left').length).toBe(2);
  program.signal('SIGINT');
  await expect.poll(() => program.lines().some(({ msg }) => msg === 'stopping')).toBe(true);
  stopped.resolve();
  // One was cut.
  expect(await program.ended).toBe(1);
  const told = program.lines().flatMap(({ msg, source, outcome }) => (msg === 'write' ? [[source, outcome]] : []));
  expect(told).toEqual([
    ['diligent', 'DONE'],
    ['apimall', 'OUTCOME_UNKNOWN'],
  ]);
  expect(program.lines().at(-1)).toMatchObject({ msg: 'stopped', whole: false });
});
