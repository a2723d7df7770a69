import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { checkSources, describeCheck } from '../src/check.ts';
import { readConfig } from '../src/config.ts';
import { providers } from '../src/providers/index.ts';
import { wholeLists } from './support/faults.ts';
import { runCommand } from './support/program.ts';
import { diligentRow } from './support/rows.ts';
import { hang, json, startUpstream, text } from './support/upstream.ts';

const key = 'canary-key';
const patient = { UPSTREAM_DEADLINE_MS: '20000', UPSTREAM_ATTEMPT_TIMEOUT_MS: '20000', REQUEST_DEADLINE_MS: '20000' };

/** What is found of Diligent behind this listener. */
async function check(listener: RequestListener, env: Record<string, string> = {}) {
  await using upstream = await startUpstream(listener);
  const credentials = env.CREDENTIALS ? {} : { DILIGENT_API_KEY: key };
  const settings = { ...patient, SOURCES: 'diligent', DILIGENT_API_URL: upstream.url, ...credentials, ...env };
  const [found] = await checkSources(readConfig(providers, settings));
  return found ?? expect.fail('nothing found');
}

test('finds nothing wrong with a source that is whole, and asks it once', async () => {
  await using upstream = await startUpstream(wholeLists);
  const env = { DILIGENT_API_KEY: key, DILIGENT_API_URL: upstream.url };
  const [found] = await checkSources(readConfig(providers, env));
  expect(found).toEqual({
    source: 'diligent',
    ok: true,
    reachable: true,
    keyAccepted: true,
    durationMs: expect.any(Number),
    rows: 2,
    rejected: 0,
    error: null,
    cause: null,
    fix: null,
  });
  expect(upstream.calls).toHaveLength(1);
});

const failed = { ok: false, reachable: true, keyAccepted: null, rows: 0 };

test.each<[string, RequestListener, Record<string, string>, object, RegExp]>([
  ['a refused key', json({}, 401), {}, { ...failed, keyAccepted: false }, /^check DILIGENT_API_KEY, or the file/],
  ['a key without the right', json({}, 403), {}, { ...failed, keyAccepted: false }, /^let the key in DILIGENT_API_KEY/],
  ['a wrong path', json({}, 404), {}, failed, /^check DILIGENT_API_URL$/],
  ['something else that answers', text('<html>'), {}, failed, /^check DILIGENT_API_URL; if/],
  ['a limited rate', json({}, 429), {}, failed, /^try again later/],
  ['a fault of the provider', json({}, 501), {}, failed, /^try again later/],
  ['a large answer', wholeLists, { UPSTREAM_MAX_BYTES: '9' }, failed, /^raise UPSTREAM_MAX_BYTES/],
  ['silence', hang, { UPSTREAM_DEADLINE_MS: '200' }, { ...failed, reachable: false }, /raise UPSTREAM_DEADLINE_MS/],
  [
    'a row that cannot be read',
    json([diligentRow(), {}]),
    {},
    { ok: false, reachable: true, keyAccepted: true, rows: 1, rejected: 1 },
    /^check DILIGENT_API_URL; if/,
  ],
])('says what to do about %s', async (_name, listener, env, expected, fix) => {
  const found = await check(listener, env);
  expect(found).toMatchObject({ ...expected, fix: expect.stringMatching(fix) });
  expect(describeCheck(found)).toMatch(
    /^diligent: FAILED \(reachable (yes|no), key accepted (yes|no|-), \d+ ms, \d rows/,
  );
});

test('tells under CREDENTIALS=passthrough whether a provider answers, as it has no key', async () => {
  const passthrough = { CREDENTIALS: 'passthrough' };
  expect(await check(json({}, 401), passthrough)).toMatchObject({
    ok: true,
    reachable: true,
    keyAccepted: null,
    fix: null,
  });
  expect(await check(json({}, 500), passthrough)).toMatchObject({ ok: false, error: { code: 'UPSTREAM_ERROR' } });
});

test('ends with 1 where a source fails, tells what of, and shows no key', async () => {
  await using whole = await startUpstream(wholeLists);
  const gone = await startUpstream(wholeLists);
  await gone.stop();
  const { code, stdout, stderr } = await runCommand(['check'], {
    APIMALL_API_KEY: key,
    APIMALL_API_URL: whole.url,
    DILIGENT_API_KEY: key,
    DILIGENT_API_URL: gone.url,
  });
  expect([code, stderr]).toEqual([1, '']);
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(/^apimall: OK \(reachable yes, key accepted yes, \d+ ms, 2 rows\)$/),
    expect.stringMatching(/^diligent: FAILED \(reachable no, key accepted -, \d+ ms, 0 rows\)$/),
    '  UNREACHABLE: The connection to the provider failed. (ECONNREFUSED)',
    '  Fix: check DILIGENT_API_URL, HTTPS_PROXY and NO_PROXY, and what stands between here and the provider',
    '',
  ]);
  expect(stdout).not.toContain('canary');
});

test('checks the sandbox, too, and says for machines that it was that', async () => {
  const { code, stdout } = await runCommand(['check', '--json']);
  expect([code, JSON.parse(stdout)]).toMatchObject([
    0,
    { ok: true, sandbox: true, sources: providers.map(({ key }) => ({ source: key, rows: expect.any(Number) })) },
  ]);
});

test('ends with 2 and all faults where the settings are wrong', async () => {
  const { code, stdout, stderr } = await runCommand(['check', '--json'], { PORT: 'canary', SOURCES: 'canary' });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr.match(/^ {2}- \w+/gm)).toEqual(['  - PORT', '  - SOURCES']);
  expect(stderr).not.toContain('canary');
});
