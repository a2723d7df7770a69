import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { digestOf } from '../src/tokens.ts';
import { audience, issuerName, startIssuer } from './support/callers.ts';
import { ask, startProgram } from './support/program.ts';
import { text } from './support/upstream.ts';

const token = 'hg_canary_token';
const query = '{ webhooks(filter: { provider: [API_MALL] }) { totalCount } }';
const rows = { data: { webhooks: { totalCount: 24 } } };

test('asks callers for a token or a JWT, takes these once it has keys, and shows none of them anywhere', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hookgraph-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'tokens');
  writeFileSync(file, `app webhooks:read ${digestOf(token)}\n`);
  await using issuer = await startIssuer(text('canary', 500));
  await using program = await startProgram({
    HOST: '0.0.0.0',
    GATEWAY_TOKENS_FILE: file,
    JWT_JWKS_URL: `${issuer.server.url}/canary`,
    JWT_ISSUER: issuerName,
    JWT_AUDIENCE: audience,
    RATE_LIMIT: '100',
  });
  const jwt = await issuer.sign({ sub: 'reader' });
  const seen: string[] = [];
  async function answerTo(headers: Record<string, string>, path = 'graphql') {
    const init = { headers: { 'content-type': 'application/json', ...headers } };
    const body = { method: 'POST', body: JSON.stringify({ query }) };
    const response = await fetch(
      program.url.replace('graphql', path),
      path === 'graphql' ? { ...init, ...body } : init,
    );
    const content = await response.text();
    seen.push(JSON.stringify([...response.headers]), content);
    return [response.status, content] as const;
  }

  expect((await answerTo({}, 'ready'))[0]).toBe(503);
  expect((await answerTo({}))[0]).toBe(401);
  expect((await answerTo({ authorization: `Bearer ${token}x` }))[0]).toBe(401);
  expect((await answerTo({ authorization: `Basic ${token}` }))[0]).toBe(401);
  expect((await answerTo({ authorization: `Bearer ${jwt}` }))[0]).toBe(503);
  expect(await ask(program.url, query, { authorization: `Bearer ${token}` })).toEqual(rows);
  expect((await answerTo({}, 'metrics'))[0]).toBe(401);
  expect((await answerTo({ authorization: `Bearer ${token}` }, 'metrics'))[0]).toBe(200);

  await issuer.rotate('first');
  await expect.poll(async () => (await answerTo({}, 'ready'))[0], { timeout: 15_000 }).toBe(200);
  const renewed = await issuer.sign({ sub: 'reader' });
  expect(await answerTo({ authorization: `Bearer ${renewed}` })).toEqual([200, JSON.stringify(rows)]);

  program.signal('SIGINT');
  expect(await program.ended).toBe(0);
  const state = program.output().match(/JWT_JWKS_URL: [^"]*/g);
  expect(state).toEqual([
    'JWT_JWKS_URL: the keys cannot be read, which is tried again',
    'JWT_JWKS_URL: the keys can be read again',
  ]);
  expect(program.output()).toContain('"caller":"reader"');
  const [header = '', claims = '', signature = ''] = renewed.split('.');
  for (const secret of ['canary', header, claims, signature, digestOf(token).slice(7)]) {
    expect(program.output() + seen.join('\n')).not.toContain(secret);
  }
});
