import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { eventually } from './support/eventually.ts';
import { ask, startProgram } from './support/program.ts';
import { slackMs } from './support/slack.ts';
import { after, hang, startUpstream, text } from './support/upstream.ts';

// Each starts a program of its own, or two.
vi.setConfig({ maxConcurrency: 3 });

const jsonType = { 'content-type': 'application/json' };
const apimallBody = text(readFileSync(new URL('./fixtures/apimall-list.json', import.meta.url)), 200, jsonType);
const diligentBody = text(readFileSync(new URL('./fixtures/diligent-list.json', import.meta.url)), 200, jsonType);
const keys = { APIMALL_API_KEY: 'sk-canary-apimall', DILIGENT_API_KEY: 'canary-diligent' };

const overview =
  '{ webhooks { nodes { externalId health } complete sources { source { key } state error { code } } } }';
const apimallRows = [{ externalId: '8', health: 'HEALTHY' }];
const diligentRows = [
  { externalId: 'df89eb16-4c6a-439f-b668-7cca0cd786fa', health: 'HEALTHY' },
  { externalId: '5a1c0b2e-9f3d-4a7b-8c6d-2e1f0a9b8c7d', health: 'DISABLED' },
];
const apimallOk = { source: { key: 'apimall' }, state: 'OK', error: null };
const diligentOk = { source: { key: 'diligent' }, state: 'OK', error: null };

test.concurrent('starts as a sandbox without any key, says so, answers, and ends with 0 on SIGTERM', async () => {
  await using program = await startProgram();
  expect(program.output()).toContain('SANDBOX');
  const { data } = await ask(
    program.url,
    '{ webhooks(filter: { source: ["apimall", "diligent"] }) { totalCount complete } }',
  );
  expect(data).toEqual({ webhooks: { totalCount: 33, complete: true } });
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
});

test.concurrent('ends with 0 on SIGINT while a client keeps its connection open', async () => {
  await using program = await startProgram();
  await ask(program.url, '{ __typename }');
  program.signal('SIGINT');
  expect(await program.ended).toBe(0);
});

test.concurrent("serves the documents' own bodies, whole, half and within the deadline", async () => {
  await using apimall = await startUpstream(apimallBody);
  await using diligent = await startUpstream(diligentBody);
  await using silent = await startUpstream(hang);
  const urls = { APIMALL_API_URL: apimall.url, DILIGENT_API_URL: diligent.url };

  const patient = { UPSTREAM_DEADLINE_MS: '20000', UPSTREAM_ATTEMPT_TIMEOUT_MS: '20000', REQUEST_DEADLINE_MS: '20000' };
  await using program = await startProgram({ ...keys, ...urls, ...patient });
  expect(program.output()).not.toContain('SANDBOX');
  expect((await ask(program.url, overview)).data.webhooks).toEqual({
    nodes: [...diligentRows, ...apimallRows],
    complete: true,
    sources: [apimallOk, diligentOk],
  });

  await apimall.stop();
  expect(await ask(program.url, overview)).toEqual({
    data: {
      webhooks: {
        nodes: diligentRows,
        complete: false,
        sources: [{ ...apimallOk, state: 'FAILED', error: { code: 'UNREACHABLE' } }, diligentOk],
      },
    },
  });

  await using waiting = await startProgram({ ...keys, ...urls, APIMALL_API_URL: silent.url });
  const asked = performance.now();
  const { data } = await ask(waiting.url, overview);
  expect(performance.now() - asked).toBeLessThan(3000 + slackMs);
  expect(data.webhooks).toEqual({
    nodes: diligentRows,
    complete: false,
    sources: [{ ...apimallOk, state: 'FAILED', error: { code: 'TIMEOUT' } }, diligentOk],
  });

  expect(program.output() + waiting.output()).not.toContain('canary');
  expect(diligent.calls[0]?.headers['x-api-key']).toBe(keys.DILIGENT_API_KEY);
});

test.concurrent('takes the keys of its callers under CREDENTIALS=passthrough', async () => {
  await using apimall = await startUpstream(apimallBody);
  await using diligent = await startUpstream(diligentBody);
  await using program = await startProgram({
    CREDENTIALS: 'passthrough',
    SOURCES: 'apimall,diligent',
    APIMALL_API_URL: apimall.url,
    DILIGENT_API_URL: diligent.url,
  });
  const { data } = await ask(program.url, overview, { 'x-apimall-api-key': 'sk-of-the-caller' });
  expect(data.webhooks.sources).toEqual([
    apimallOk,
    { ...diligentOk, state: 'FAILED', error: { code: 'NOT_CONFIGURED' } },
  ]);
  expect(apimall.calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer sk-of-the-caller']);
  expect(diligent.calls).toEqual([]);
});

test.concurrent('lets an answer that is under way finish when it is told to stop', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using apimall = await startUpstream(after(() => released, apimallBody));
  await using program = await startProgram({ APIMALL_API_KEY: 'k', APIMALL_API_URL: apimall.url });
  const answer = ask(program.url, '{ webhooks { totalCount complete } }');
  await eventually(() => expect(apimall.calls.length).toBe(1));
  program.signal('SIGTERM');
  await eventually(async () => expect(await ask(program.url, '{ __typename }').catch(() => 'refused')).toBe('refused'));
  release();
  expect(await answer).toEqual({ data: { webhooks: { totalCount: 1, complete: true } } });
  expect(await program.ended).toBe(0);
});

test.concurrent('takes the two signals that Ctrl+C makes under npm for one', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using apimall = await startUpstream(after(() => released, apimallBody));
  await using program = await startProgram({ APIMALL_API_KEY: 'k', APIMALL_API_URL: apimall.url });
  const answer = ask(program.url, '{ webhooks { totalCount } }');
  await eventually(() => expect(apimall.calls.length).toBe(1));
  program.signal('SIGINT');
  await sleep(100);
  program.signal('SIGINT');
  await sleep(100);
  release();
  expect([await answer, await program.ended]).toEqual([{ data: { webhooks: { totalCount: 1 } } }, 0]);
});

test.concurrent('ends at once with 1 on a second signal', async () => {
  await using apimall = await startUpstream(hang);
  await using program = await startProgram({
    APIMALL_API_KEY: 'k',
    APIMALL_API_URL: apimall.url,
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000',
    UPSTREAM_DEADLINE_MS: '60000',
    REQUEST_DEADLINE_MS: '60000',
    DRAIN_MS: '60000',
  });
  const answer = ask(program.url, '{ webhooks { totalCount } }').catch(() => 'cut');
  await eventually(() => expect(apimall.calls.length).toBe(1));
  program.signal('SIGTERM');
  await eventually(async () => expect(await ask(program.url, '{ __typename }').catch(() => 'refused')).toBe('refused'));
  // Two signals at once are one: a terminal and npm both send what Ctrl+C means.
  await sleep(600);
  program.signal('SIGTERM');
  expect([await program.ended, await answer]).toEqual([1, 'cut']);
});

test.concurrent('ends with 1 and all faults on standard error where the configuration is wrong', async () => {
  await using program = await startProgram({ PORT: 'canary', HOST: '0.0.0.0', SOURCES: 'canary' });
  expect(await program.ended).toBe(1);
  expect(
    program
      .output()
      .match(/^ {2}- \w+/gm)
      ?.sort(),
  ).toEqual(['  - HOST', '  - PORT', '  - SOURCES']);
  expect(program.output()).not.toContain('canary');
});

test.concurrent('ends with 1 and a word on PORT where another program listens there', async () => {
  await using other = await startUpstream(hang);
  await using program = await startProgram({ PORT: new URL(other.url).port });
  expect(await program.ended).toBe(1);
  expect(program.output()).toMatch(/^PORT: another program listens there/);
});
