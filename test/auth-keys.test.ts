import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { type Authentication, createAuthentication } from '../src/auth/authentication.ts';
import { digestOf, readTokens } from '../src/tokens.ts';
import {
  audience,
  type Issuer,
  issuerName,
  knowIssuer,
  rightClaims,
  signClaims,
  startIssuer,
} from './support/callers.ts';
import { listen } from './support/server.ts';
import { hang, json, text } from './support/upstream.ts';

async function identify(authentication: Authentication, token: string | Promise<string>) {
  const identity = await authentication.identify([`Bearer ${await token}`]);
  return typeof identity === 'string' ? identity : identity.name;
}

function untilReady(authentication: Authentication) {
  return expect.poll(authentication.isReady, { interval: 5 }).toBe(true);
}

async function forge(kid: string): Promise<string> {
  return signClaims(rightClaims(), (await generateKeyPair('ES256')).privateKey, kid);
}

const calls = ({ server }: Issuer) => server.calls.length;

test('takes no JWT until the keys were read, says so on /ready, and takes them from then on', async () => {
  await using issuer = await startIssuer();
  const { listener } = issuer;
  issuer.listener = text('canary', 503);
  const told: (string | null)[] = [];
  await using authentication = knowIssuer(issuer, {}, (reason) => told.push(reason));
  await using server = await listen({ fetch: () => Response.json({}) }, { authentication });
  const send = async (token: string) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return await fetch(`${server.url}/graphql`, { method: 'POST', headers, body: '{}' });
  };
  // Tries again, and tells once.
  await expect.poll(() => calls(issuer)).toBeGreaterThan(3);
  expect(told).toEqual(['UPSTREAM_ERROR']);

  const ready = await fetch(`${server.url}/ready`);
  expect([ready.status, await ready.text()]).toEqual([
    503,
    'waiting for the keys of JWT_JWKS_URL, which cannot be read\n',
  ]);
  const refused = await send(await issuer.sign());
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  expect((await refused.json()).errors[0].extensions).toEqual({ code: 'UNAUTHENTICATED' });
  expect((await send('hg_app')).status).toBe(200);
  expect((await send('canary')).status).toBe(401);
  expect((await fetch(`${server.url}/health`)).status).toBe(200);

  issuer.listener = listener;
  await untilReady(authentication);
  expect((await send(await issuer.sign())).status).toBe(200);
  expect((await fetch(`${server.url}/ready`)).status).toBe(200);
  expect(told).toEqual(['UPSTREAM_ERROR', null]);
});

test.each<[string, Parameters<typeof startIssuer>[0], string]>([
  ['a redirect', text('', 302, { location: '/elsewhere' }), 'BAD_RESPONSE'],
  ['a page', text('<html>canary</html>', 200, { 'content-type': 'text/html' }), 'BAD_RESPONSE'],
  ['no set', json({ canary: [] }), 'BAD_RESPONSE'],
  ['nothing', json(null), 'BAD_RESPONSE'],
  ['a set without keys', json({ keys: [] }), 'BAD_RESPONSE'],
  ['more than 256 KiB', json({ keys: [], canary: 'x'.repeat(262_144) }), 'TOO_LARGE'],
  ['nothing in time', hang, 'TIMEOUT'],
])('takes %s for no keys', async (_name, listener, reason) => {
  await using issuer = await startIssuer(listener);
  const told: (string | null)[] = [];
  await using authentication = knowIssuer(issuer, { timeoutMs: 100 }, (state) => told.push(state));
  await expect.poll(() => told).toEqual([reason]);
  expect(authentication.isReady()).toBe(false);
  expect(await identify(authentication, issuer.sign())).toBe('unavailable');
  expect(issuer.server.calls.map(({ path }) => path)).not.toContain('/elsewhere');
});

test('takes an issuer that is not there for no keys', async () => {
  await using issuer = await startIssuer();
  await issuer.server.stop();
  const told: (string | null)[] = [];
  await using authentication = knowIssuer(issuer, {}, (state) => told.push(state));
  await expect.poll(() => told).toEqual(['UNREACHABLE']);
  expect(await identify(authentication, issuer.sign())).toBe('unavailable');
});

test('takes a new key as soon as a token names it, and the old one no longer', async () => {
  await using issuer = await startIssuer();
  await using authentication = knowIssuer(issuer);
  await untilReady(authentication);
  const old = await issuer.sign();
  expect(await identify(authentication, old)).toBe('alice');
  await issuer.rotate('second');
  // All of them wait for one reading.
  const tokens = await Promise.all(Array.from({ length: 20 }, () => issuer.sign({}, 'second')));
  expect(await Promise.all(tokens.map((token) => identify(authentication, token)))).toEqual(Array(20).fill('alice'));
  expect(calls(issuer)).toBe(2);
  expect(await identify(authentication, old)).toBe('invalid');
});

test('takes a new key that has the name of the old one', async () => {
  await using issuer = await startIssuer();
  await using authentication = knowIssuer(issuer);
  await untilReady(authentication);
  await issuer.rotate('first');
  expect(await identify(authentication, issuer.sign())).toBe('alice');
  expect(calls(issuer)).toBe(2);
});

test('takes a token that names no key, if one of several has signed it', async () => {
  await using issuer = await startIssuer();
  const pairs = await Promise.all(['a', 'b', 'none'].map(() => generateKeyPair('ES256')));
  const shown = await Promise.all(pairs.slice(0, 2).map(({ publicKey }) => exportJWK(publicKey)));
  issuer.listener = json({ keys: shown.map((key, index) => ({ ...key, kid: String(index) })) });
  await using authentication = knowIssuer(issuer);
  await untilReady(authentication);
  const identities = pairs.map(({ privateKey }) => {
    const token = new SignJWT(rightClaims() as JWTPayload).setProtectedHeader({ alg: 'ES256' });
    return identify(authentication, token.sign(privateKey));
  });
  expect(await Promise.all(identities)).toEqual(['alice', 'alice', 'invalid']);
});

test('takes a static token that looks like a JWT', async () => {
  await using issuer = await startIssuer();
  const tokens = readTokens(`odd webhooks:read ${digestOf('aaa.bbb.ccc')}`, []);
  const jwt = { jwksUrl: `${issuer.server.url}/keys`, issuer: issuerName, audience };
  const authentication = createAuthentication({ tokens, jwt }, () => {});
  expect(await identify(authentication, 'aaa.bbb.ccc')).toBe('odd');
  await authentication.close();
});

test('reads the keys anew from time to time', async () => {
  await using issuer = await startIssuer();
  await using authentication = knowIssuer(issuer, { refreshMs: 20, coolDownMs: 600_000 });
  await untilReady(authentication);
  await issuer.rotate('second');
  await expect.poll(async () => identify(authentication, issuer.sign({}, 'second'))).toBe('alice');
});

test('does not ask again for keys that callers make up', async () => {
  await using issuer = await startIssuer();
  await using authentication = knowIssuer(issuer, { coolDownMs: 600_000 });
  await untilReady(authentication);
  for (let number = 0; number < 50; number += 1) {
    expect(await identify(authentication, forge(`forged-${number}`))).toBe('invalid');
  }
  expect(calls(issuer)).toBe(1);
  expect(await identify(authentication, issuer.sign())).toBe('alice');
});

test('would ask once for each of them, if it did not wait in between', async () => {
  await using issuer = await startIssuer();
  await using authentication = knowIssuer(issuer, { coolDownMs: 0 });
  await untilReady(authentication);
  for (let number = 0; number < 50; number += 1) await identify(authentication, forge(`forged-${number}`));
  expect(calls(issuer)).toBe(51);
});

test('asks an issuer that fails no more often for keys that callers make up', async () => {
  await using issuer = await startIssuer();
  await using authentication = knowIssuer(issuer, { coolDownMs: 200, retryMs: 600_000, longestRetryMs: 600_000 });
  await untilReady(authentication);
  issuer.listener = text('', 500);
  const started = performance.now();
  await expect.poll(async () => (await identify(authentication, forge('forged'))) && calls(issuer)).toBe(3);
  expect(performance.now() - started).toBeGreaterThan(350);
});

test('keeps the keys it has while they cannot be read anew', async () => {
  await using issuer = await startIssuer();
  const told: (string | null)[] = [];
  await using authentication = knowIssuer(issuer, { refreshMs: 20 }, (reason) => told.push(reason));
  await untilReady(authentication);
  for (const listener of [text('', 500), json({ keys: [] }), json('canary')]) {
    issuer.listener = listener;
    const before = calls(issuer);
    await expect.poll(() => calls(issuer)).toBeGreaterThan(before + 1);
    expect(await identify(authentication, issuer.sign())).toBe('alice');
    expect(authentication.isReady()).toBe(true);
  }
  expect(told).toEqual(['UPSTREAM_ERROR']);
});

test('lets only so many wait for keys', async () => {
  await using issuer = await startIssuer();
  await using authentication = knowIssuer(issuer);
  await untilReady(authentication);
  issuer.listener = hang;
  const token = await forge('forged');
  const asked = Array.from({ length: 105 }, () => identify(authentication, token));
  expect(await Promise.race(asked)).toBe('unavailable');
  await authentication.close();
  const answers = await Promise.all(asked);
  expect(answers.filter((answer) => answer === 'unavailable')).toHaveLength(5);
  expect(answers.filter((answer) => answer === 'invalid')).toHaveLength(100);
});

test('asks nobody once it is closed', async () => {
  await using issuer = await startIssuer();
  const authentication = knowIssuer(issuer, { refreshMs: 10 });
  await untilReady(authentication);
  await authentication.close();
  const before = calls(issuer);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(calls(issuer)).toBe(before);
});
