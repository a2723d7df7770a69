import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';
import { apimall } from '../src/providers/apimall/index.ts';
import { diligent } from '../src/providers/diligent/index.ts';

const keys = { APIMALL_API_KEY: 'sk-canary-1', DILIGENT_API_KEY: 'canary-2' };

function read(env: Record<string, string>) {
  return readConfig([apimall, diligent], env);
}

/** The faults that an environment has, a line each. */
function faults(env: Record<string, string>): string[] {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.message
        .split('\n')
        .slice(1)
        .map((line) => line.replace('  - ', ''));
    throw error;
  }
  return [];
}

test('serves the sandbox on loopback with GraphiQL where nothing is set', () => {
  expect(read({})).toEqual({
    host: '127.0.0.1',
    port: 4000,
    sandbox: true,
    sources: [
      { key: 'apimall', url: 'https://gateway.apimall.ai/api/v1', credential: null },
      { key: 'diligent', url: 'https://api.godiligent.ai', credential: null },
    ],
    credentials: 'server',
    auth: null,
    rateLimit: null,
    upstream: {
      deadlineMs: 3000,
      attemptTimeoutMs: 2000,
      maxBytes: 5_242_880,
      shareInFlight: true,
      reuseSnapshots: true,
      proxy: null,
    },
    secretFiles: new Map(),
    requestDeadlineMs: 10_000,
    maxInFlight: 512,
    drainMs: 5000,
    logLevel: 'info',
    metricsPort: null,
    traces: null,
    partialResults: 'rows',
    writes: true,
    deliveryPayloads: false,
    reuseAnswers: true,
    trustedDocuments: null,
    graphiql: true,
    introspection: true,
    corsOrigins: 'localhost',
  });
});

test('reads trusted documents, and serves no GraphiQL beside them unless told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hookgraph-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'manifest.json');
  writeFileSync(file, '{"a":"{ __typename }"}');
  const trusted = { trustedDocuments: new Map([['a', '{ __typename }']]) };
  expect(read({ TRUSTED_DOCUMENTS: file })).toMatchObject({ ...trusted, graphiql: false });
  expect(read({ TRUSTED_DOCUMENTS: file, GRAPHIQL: 'on' })).toMatchObject({ ...trusted, graphiql: true });
});

test('takes empty variables for ones that are not set', () => {
  expect(
    read(
      Object.fromEntries(
        ['PORT', 'SOURCES', 'APIMALL_API_KEY', 'SANDBOX', 'APIMALL_API_KEY_FILE'].map((name) => [name, '']),
      ),
    ),
  ).toEqual(read({}));
});

test('changes webhooks only where that is asked for, and in the sandbox unless it is not', () => {
  expect(read({}).writes).toBe(true);
  expect(read({ WRITES: 'off' }).writes).toBe(false);
  expect(read(keys).writes).toBe(false);
  expect(read({ ...keys, WRITES: 'on' }).writes).toBe(true);
  // Each write leaves a line of that level.
  expect(read({ ...keys, WRITES: 'on', LOG_LEVEL: 'warn' }).writes).toBe(true);
  expect(faults({ ...keys, WRITES: 'on', LOG_LEVEL: 'error' })).toEqual([
    'LOG_LEVEL: must be warn or lower with WRITES=on, as each write leaves a line of that level',
  ]);
  expect(read({ LOG_LEVEL: 'silent' }).writes).toBe(true);
});

test('serves the real APIs with their keys', () => {
  const { sandbox, sources } = read({ ...keys, APIMALL_API_URL: 'https://eu.example/v2/' });
  expect(sandbox).toBe(false);
  expect(sources).toEqual([
    { key: 'apimall', url: 'https://eu.example/v2', credential: 'sk-canary-1' },
    { key: 'diligent', url: 'https://api.godiligent.ai', credential: 'canary-2' },
  ]);
});

test('serves only the sources with a key outside production', () => {
  expect(read({ DILIGENT_API_KEY: 'k' }).sources.map(({ key }) => key)).toEqual(['diligent']);
});

test('serves only the sources that SOURCES names, in its own order', () => {
  const names = (env: Record<string, string>) => read(env).sources.map(({ key }) => key);
  expect(names({ ...keys, SOURCES: 'diligent' })).toEqual(['diligent']);
  expect(names({ ...keys, SOURCES: ' diligent , apimall' })).toEqual(['apimall', 'diligent']);
  expect(names({ SOURCES: 'apimall' })).toEqual(['apimall']);
  expect(names({ SOURCES: 'apimall', CREDENTIALS: 'passthrough' })).toEqual(['apimall']);
});

test('takes the keys of callers under CREDENTIALS=passthrough, for every source', () => {
  const { sandbox, sources, credentials } = read({ CREDENTIALS: 'passthrough' });
  expect([sandbox, credentials, sources.map(({ credential }) => credential)]).toEqual([
    false,
    'passthrough',
    [null, null],
  ]);
});

test('is careful in production, which means exactly this word', () => {
  const production = { ...keys, NODE_ENV: 'production' };
  expect(read(production)).toMatchObject({ graphiql: false, introspection: false, corsOrigins: [] });
  expect(read({ ...production, GRAPHIQL: 'on', INTROSPECTION: 'on' })).toMatchObject({
    graphiql: true,
    introspection: true,
  });
  expect(read({ ...keys, NODE_ENV: 'Production' })).toMatchObject({ graphiql: true });
});

test('never serves the sandbox in production unless told to', () => {
  expect(faults({ NODE_ENV: 'production' })).toEqual([
    'SOURCES: must name the sources to serve in production, as not all have a key; or set APIMALL_API_KEY, DILIGENT_API_KEY',
  ]);
  expect(read({ NODE_ENV: 'production', SANDBOX: 'on' }).sandbox).toBe(true);
});

test('wants SOURCES in production where a provider has no key', () => {
  const half = { NODE_ENV: 'production', APIMALL_API_KEY: 'k' };
  expect(faults(half)).toEqual([
    'SOURCES: must name the sources to serve in production, as not all have a key; or set DILIGENT_API_KEY',
  ]);
  expect(read({ ...half, SOURCES: 'apimall' }).sources).toHaveLength(1);
});

test.each<[string, Record<string, string>, string]>([
  [
    'a source without a key',
    { APIMALL_API_KEY: 'k', SOURCES: 'apimall,diligent' },
    'SOURCES: names sources that have no key; set DILIGENT_API_KEY',
  ],
  [
    'an unknown source',
    { ...keys, SOURCES: 'apimall,stripe' },
    'SOURCES: must be among apimall, diligent, with commas',
  ],
  [
    'the sandbox beside a key',
    { SANDBOX: 'on', APIMALL_API_KEY: 'k' },
    'SANDBOX: cannot be on while APIMALL_API_KEY is set',
  ],
  [
    'the sandbox beside a URL',
    { SANDBOX: 'on', DILIGENT_API_URL: 'https://x.example' },
    'SANDBOX: cannot be on while DILIGENT_API_URL is set',
  ],
  [
    'the sandbox with passthrough',
    { SANDBOX: 'on', CREDENTIALS: 'passthrough' },
    'SANDBOX: cannot be on with CREDENTIALS=passthrough',
  ],
  [
    'a key that passthrough leaves unused',
    { CREDENTIALS: 'passthrough', APIMALL_API_KEY: 'k' },
    'APIMALL_API_KEY: has no use with CREDENTIALS=passthrough',
  ],
  [
    'neither sandbox nor key',
    { SANDBOX: 'off' },
    'APIMALL_API_KEY, DILIGENT_API_KEY: no source has a key; set one, or SANDBOX=on alone',
  ],
  [
    'a URL without any key',
    { APIMALL_API_URL: 'https://x.example' },
    'APIMALL_API_KEY, DILIGENT_API_KEY: no source has a key; set one, or SANDBOX=on alone',
  ],
  [
    'a key with a line break',
    { APIMALL_API_KEY: 'k\r\nx: y' },
    'APIMALL_API_KEY: must be 1 to 256 visible ASCII characters',
  ],
  [
    'an endless key',
    { APIMALL_API_KEY: 'k'.repeat(257) },
    'APIMALL_API_KEY: must be 1 to 256 visible ASCII characters',
  ],
  ['a port out of range', { PORT: '65536' }, 'PORT: must be a whole number from 0 to 65535'],
  ['a port that is no number', { PORT: '4e3' }, 'PORT: must be a whole number from 0 to 65535'],
  [
    'a deadline of nothing',
    { UPSTREAM_DEADLINE_MS: '0' },
    'UPSTREAM_DEADLINE_MS: must be a whole number from 1 to 600000',
  ],
  [
    'a request that ends before a provider that hangs is given up',
    { REQUEST_DEADLINE_MS: '2999' },
    'REQUEST_DEADLINE_MS: must be at least UPSTREAM_DEADLINE_MS (3000), or no answer would wait for one provider and show the others',
  ],
  [
    'a provider that may hold up an answer for longer than a request may take',
    { UPSTREAM_DEADLINE_MS: '10001' },
    'REQUEST_DEADLINE_MS: must be at least UPSTREAM_DEADLINE_MS (10001), or no answer would wait for one provider and show the others',
  ],
  [
    'a proxy without a scheme',
    { HTTPS_PROXY: 'user:canary@proxy.example:3128' },
    'HTTPS_PROXY: must be a URL such as http://proxy.example:3128, without a path (https_proxy, where it is set, counts first)',
  ],
  ['a switch that is neither on nor off', { GRAPHIQL: 'true' }, 'GRAPHIQL: must be on or off'],
  ['an unknown way of credentials', { CREDENTIALS: 'both' }, 'CREDENTIALS: must be server or passthrough'],
  ['an unknown way of partial results', { PARTIAL_RESULTS: 'errors' }, 'PARTIAL_RESULTS: must be rows or null'],
  [
    'any CORS origin',
    { CORS_ORIGINS: '*' },
    'CORS_ORIGINS: must be origins such as https://app.example, without a path, with commas between them',
  ],
  [
    'a CORS origin with a path',
    { CORS_ORIGINS: 'https://a.example/' },
    'CORS_ORIGINS: must be origins such as https://app.example, without a path, with commas between them',
  ],
  [
    'an unreadable key file',
    { APIMALL_API_KEY_FILE: '/nowhere/canary' },
    'APIMALL_API_KEY_FILE: the file cannot be read (ENOENT)',
  ],
  [
    'a manifest that is not there',
    { TRUSTED_DOCUMENTS: '/nowhere/manifest.json' },
    'TRUSTED_DOCUMENTS: /nowhere/manifest.json cannot be read (ENOENT)',
  ],
  [
    'a manifest that is none',
    { TRUSTED_DOCUMENTS: 'schema.graphql' },
    "TRUSTED_DOCUMENTS: schema.graphql is no manifest of documents, of Apollo's form or Relay's",
  ],
  [
    'listening beyond loopback',
    { HOST: '0.0.0.0' },
    'HOST: is beyond loopback, where everyone could read; set GATEWAY_TOKENS or JWT_JWKS_URL, or AUTH=none if that is wanted',
  ],
  ['an unknown AUTH', { AUTH: 'basic' }, 'AUTH: must be none, or not set'],
])('refuses %s', (_name, env, fault) => {
  expect(faults(env)).toEqual([fault]);
});

test.each([
  'http://api.example',
  'ftp://127.0.0.1',
  'https://user:canary@api.example',
  'https://api.example?x=1',
  'nonsense',
])('refuses the upstream URL %s', (url) => {
  expect(faults({ ...keys, APIMALL_API_URL: url })).toEqual([
    'APIMALL_API_URL: must be an https URL (http only on loopback), without user, query or fragment',
  ]);
});

test.each(['http://127.0.0.1:8080/api', 'http://localhost:1', 'http://[::1]:1', 'https://api.example/v1'])(
  'takes the upstream URL %s',
  (url) => {
    expect(faults({ ...keys, APIMALL_API_URL: url })).toEqual([]);
  },
);

test.each(['::1', 'localhost', '127.0.0.1', '127.1.2.3'])('listens on loopback address %s without AUTH', (HOST) => {
  expect(read({ HOST }).host).toBe(HOST);
});

test('takes an IPv6 address in brackets too', () => {
  expect(read({ HOST: '[::1]' }).host).toBe('::1');
});

test('listens beyond loopback where AUTH=none says so', () => {
  expect(read({ HOST: '0.0.0.0', AUTH: 'none' }).host).toBe('0.0.0.0');
});

test.each([
  'socks5://proxy.example',
  'http://proxy.example/path',
  'http://%ff:canary@proxy.example',
  'http://',
  'proxy',
])('refuses the proxy %s, in either spelling', (url) => {
  for (const name of ['HTTPS_PROXY', 'https_proxy']) {
    expect(faults({ [name]: url }).join()).toMatch(/^HTTPS_PROXY: must be a URL such as (?!.*canary)/);
  }
});

test('goes through the proxy of HTTPS_PROXY, or of its spelling that curl knows, but not to NO_PROXY', () => {
  const proxyOf = (env: Record<string, string>) => read(env).upstream.proxy;
  const upper = { HTTPS_PROXY: 'http://proxy.example:3128', NO_PROXY: '.internal' };
  expect(proxyOf(upper)).toEqual({ url: 'http://proxy.example:3128', except: '.internal' });
  expect(proxyOf({ ...upper, https_proxy: 'https://user:pw@lower.example', no_proxy: '' })).toEqual({
    url: 'https://user:pw@lower.example',
    except: '.internal',
  });
  expect(proxyOf({ HTTP_PROXY: 'http://proxy.example' })).toBeNull();
});

test('reads a key from a file, without the line break at its end', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hookgraph-'));
  const file = join(folder, 'key');
  writeFileSync(file, 'sk-from-file\n');
  const { sources, secretFiles } = read({ APIMALL_API_KEY_FILE: file });
  expect(sources).toMatchObject([{ key: 'apimall', credential: 'sk-from-file' }]);
  expect(secretFiles).toEqual(new Map([['APIMALL_API_KEY', { path: file, text: 'sk-from-file\n' }]]));
  expect(faults({ APIMALL_API_KEY_FILE: file, APIMALL_API_KEY: 'k' })).toEqual([
    'APIMALL_API_KEY: is set, and so is APIMALL_API_KEY_FILE; set one of the two',
  ]);
  rmSync(folder, { recursive: true });
});

test('tells all faults at once, names them, and shows no value', () => {
  const env = {
    APIMALL_API_KEY: 'canary one',
    DILIGENT_API_KEY: 'canary-two',
    SANDBOX: 'canary',
    PORT: 'canary',
    HOST: 'canary.example',
    SOURCES: 'canary',
  };
  const told = faults(env);
  expect(told.map((fault) => fault.split(':')[0]).sort()).toEqual([
    'APIMALL_API_KEY',
    'HOST',
    'PORT',
    'SANDBOX',
    'SOURCES',
  ]);
  expect(told.join('\n')).not.toContain('canary');
});
