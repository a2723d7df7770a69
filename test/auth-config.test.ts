import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';
import { providers } from '../src/providers/index.ts';
import { digestOf } from '../src/tokens.ts';

const one = digestOf('canary-one');
const two = digestOf('canary-two');
const issuer = {
  JWT_JWKS_URL: 'https://issuer.example/keys?policy=p',
  JWT_ISSUER: 'https://issuer.example',
  JWT_AUDIENCE: 'hookgraph',
};

function read(env: Record<string, string>) {
  return readConfig(providers, env);
}

/** The faults that an environment has, a line each. */
function faults(env: Record<string, string>): string[] {
  try {
    read(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.replace('  - ', ''));
  }
}

test.each([
  ['commas', `app webhooks:read ${one}, ops@acme.example webhooks:read webhooks:write ${two}`],
  [
    'line breaks',
    `app webhooks:read ${one}\r\n\nops@acme.example webhooks:read  webhooks:write ${two.toUpperCase()}\n`,
  ],
])('reads tokens with %s between them', (_name, GATEWAY_TOKENS) => {
  const digest = (text: string) => text.replace('sha256:', '');
  const text = GATEWAY_TOKENS.replace('SHA256:', 'sha256:');
  expect(read({ GATEWAY_TOKENS: text }).auth).toEqual({
    tokens: [
      { name: 'app', scopes: new Set(['webhooks:read']), digest: digest(one) },
      { name: 'ops@acme.example', scopes: new Set(['webhooks:read', 'webhooks:write']), digest: digest(two) },
    ],
    jwt: null,
  });
});

test('reads tokens from a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hookgraph-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'tokens');
  writeFileSync(file, `app webhooks:read ${one}\nops webhooks:write ${two}\n`);
  expect(read({ GATEWAY_TOKENS_FILE: file }).auth?.tokens.map(({ name }) => name)).toEqual(['app', 'ops']);
  expect(faults({ GATEWAY_TOKENS_FILE: `${file}s` })).toEqual([
    'GATEWAY_TOKENS_FILE: the file cannot be read (ENOENT)',
  ]);
  writeFileSync(file, '');
  expect(faults({ GATEWAY_TOKENS_FILE: file })).toEqual(['GATEWAY_TOKENS_FILE: the file is empty']);
});

const named = 'must begin with a name of 1 to 64 letters, digits, or any of _.@-';
const scoped = 'must have scopes after its name, among webhooks:read, webhooks:write, webhooks:payloads';
const ended = 'must end with sha256: and 64 hex digits';

test.each([
  ['the token itself', 'app webhooks:read hg_canary', `entry 1 ${ended}`],
  ['a digest that is too short', `app webhooks:read ${one.slice(0, -1)}`, `entry 1 ${ended}`],
  ['a digest of another kind', `app webhooks:read ${one.replace('sha256', 'sha512')}`, `entry 1 ${ended}`],
  ['a name alone', 'canary', `entry 1 ${ended}`],
  ['no scope', `app ${one}`, `entry 1 ${scoped}`],
  ['an unknown scope', `app webhooks:read canary ${one}`, `entry 1 ${scoped}`],
  ['a name that logs cannot show', `can/ary webhooks:read ${one}`, `entry 1 ${named}`],
  ['a name that is too long', `${'canary'.repeat(11)} webhooks:read ${one}`, `entry 1 ${named}`],
  ['two of one name', `app webhooks:read ${one}, app webhooks:read ${two}`, 'entry 2 has the name of another'],
  ['one token twice', `app webhooks:read ${one}\nops webhooks:read ${one}`, 'entry 2 has the digest of another'],
  ['commas alone', ' , \n', 'names no token'],
])('refuses tokens with %s, and does not show them', (_name, GATEWAY_TOKENS, fault) => {
  expect(faults({ GATEWAY_TOKENS })).toEqual([`GATEWAY_TOKENS: ${fault}`]);
});

test('tells of every entry that is wrong', () => {
  const GATEWAY_TOKENS = `canary, app webhooks:read ${one}, ops canary ${two}`;
  expect(faults({ GATEWAY_TOKENS })).toEqual([`GATEWAY_TOKENS: entry 1 ${ended}`, `GATEWAY_TOKENS: entry 3 ${scoped}`]);
});

test('takes JWTs of one issuer for one audience, beside tokens too', () => {
  const jwt = { jwksUrl: issuer.JWT_JWKS_URL, issuer: issuer.JWT_ISSUER, audience: issuer.JWT_AUDIENCE };
  expect(read(issuer).auth).toEqual({ tokens: [], jwt });
  const both = read({ ...issuer, GATEWAY_TOKENS: `app webhooks:read ${one}` }).auth;
  expect([both?.jwt, both?.tokens.length]).toEqual([jwt, 1]);
});

test.each([
  [['JWT_JWKS_URL'], 'JWT_ISSUER, JWT_AUDIENCE: must be set beside JWT_JWKS_URL'],
  [['JWT_JWKS_URL', 'JWT_AUDIENCE'], 'JWT_ISSUER: must be set beside JWT_JWKS_URL and JWT_AUDIENCE'],
  [['JWT_ISSUER', 'JWT_AUDIENCE'], 'JWT_JWKS_URL: must be set beside JWT_ISSUER and JWT_AUDIENCE'],
] as const)('refuses %j alone', (names, fault) => {
  expect(faults(Object.fromEntries(names.map((name) => [name, issuer[name]])))).toEqual([fault]);
});

test.each(['http://issuer.example/keys', 'https://user:canary@issuer.example', 'canary', 'file:///canary'])(
  'refuses keys from %s',
  (JWT_JWKS_URL) => {
    expect(faults({ ...issuer, JWT_JWKS_URL })).toEqual([
      'JWT_JWKS_URL: must be an https URL (http only on loopback), without user or fragment',
    ]);
  },
);

test('refuses AUTH=none beside what asks callers who they are', () => {
  expect(faults({ AUTH: 'none', GATEWAY_TOKENS: `app webhooks:read ${one}` })).toEqual([
    'AUTH: cannot be none while GATEWAY_TOKENS is set',
  ]);
  expect(faults({ AUTH: 'none', ...issuer })).toEqual([
    'AUTH: cannot be none while JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE is set',
  ]);
});

test('listens beyond loopback where callers are asked who they are, or where AUTH=none says so, and not else', () => {
  const HOST = '0.0.0.0';
  expect(read({ HOST, GATEWAY_TOKENS: `app webhooks:read ${one}` }).host).toBe(HOST);
  expect(read({ HOST, ...issuer }).host).toBe(HOST);
  expect(read({ HOST, AUTH: 'none' }).host).toBe(HOST);
  expect(faults({ HOST })).toEqual([expect.stringMatching(/^HOST: .*GATEWAY_TOKENS.*JWT_JWKS_URL.*AUTH=none/)]);
  // One fault, not two.
  expect(faults({ HOST, GATEWAY_TOKENS: 'canary' })).toEqual([`GATEWAY_TOKENS: entry 1 ${ended}`]);
});

test('limits no rate unless told to', () => {
  expect(
    [{}, { RATE_LIMIT: 'off' }, { RATE_LIMIT: '1' }, { RATE_LIMIT: '600' }].map((env) => read(env).rateLimit),
  ).toEqual([null, null, 1, 600]);
  for (const RATE_LIMIT of ['0', '-1', '1.5', '1e3', '10000000', 'on']) {
    expect(faults({ RATE_LIMIT })).toEqual(['RATE_LIMIT: must be off, or a whole number from 1 to 9999999']);
  }
});
