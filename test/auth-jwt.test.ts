import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  jwtVerify,
  UnsecuredJWT,
} from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Authentication } from '../src/auth/authentication.ts';
import { createJwtReader } from '../src/auth/jwt.ts';
import type { RunningServer } from '../src/server.ts';
import {
  audience,
  type Claims,
  type Issuer,
  issuerName,
  knowIssuer,
  rightClaims,
  signClaims,
  startIssuer,
} from './support/callers.ts';
import { eventually } from './support/eventually.ts';
import { listen } from './support/server.ts';

let issuer: Issuer;
let authentication: Authentication;
let server: RunningServer;

beforeAll(async () => {
  issuer = await startIssuer();
  authentication = knowIssuer(issuer, { coolDownMs: 600_000 });
  server = await listen({ fetch: (_url, _init, { record }) => Response.json(record.caller?.name) }, { authentication });
  await eventually(() => expect(authentication.isReady()).toBe(true));
});
afterAll(async () => {
  await server.stop();
  await authentication.close();
  await issuer.server.stop();
});

async function send(token: string) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body: '{}' });
  return { status: response.status, body: await response.text(), challenge: response.headers.get('www-authenticate') };
}

const seconds = (fromNow: number) => Math.floor(Date.now() / 1000) + fromNow;

test('lets in who has a token that the issuer signed, beside who has one of ours', async () => {
  expect(await send(await issuer.sign())).toMatchObject({ status: 200, body: '"alice"' });
  expect(await send('hg_app')).toMatchObject({ status: 200, body: '"app"' });
  expect(await send(await issuer.sign({ aud: ['other', audience], exp: seconds(-5) }))).toMatchObject({ status: 200 });
});

/** What an attacker can make who knows all that is public. */
const wrong: readonly [string, () => Promise<string>][] = [
  ['that has expired', () => issuer.sign({ exp: seconds(-30) })],
  ['that never expires', () => issuer.sign({ exp: undefined })],
  ['that expires at a word', () => issuer.sign({ exp: 'never' })],
  ['that is not valid yet', () => issuer.sign({ nbf: seconds(60) })],
  ['of another issuer', () => issuer.sign({ iss: `${issuerName}.evil.example` })],
  ['of no issuer', () => issuer.sign({ iss: undefined })],
  ['for another audience', () => issuer.sign({ aud: 'other' })],
  ['for no audience', () => issuer.sign({ aud: undefined })],
  ['of nobody', () => issuer.sign({ sub: undefined })],
  ['of a subject that is no text', () => issuer.sign({ sub: 7 })],
  ['that nobody signed', async () => new UnsecuredJWT(rightClaims()).encode()],
  [
    'that says alg none beside a signature',
    async () => {
      const [, claims, signature] = (await issuer.sign()).split('.');
      return [Buffer.from('{"alg":"none"}').toString('base64url'), claims, signature].join('.');
    },
  ],
  [
    'that is signed with the public key as a secret',
    async () => {
      const { keys } = await (await fetch(`${issuer.server.url}/keys`)).json();
      return signClaims(rightClaims(), Buffer.from(JSON.stringify(keys[0]).padEnd(64)), 'first', 'HS256');
    },
  ],
  [
    'that another key of the same name signed',
    async () => signClaims(rightClaims(), (await generateKeyPair('ES256')).privateKey, 'first'),
  ],
  [
    'that an unknown key signed',
    async () => signClaims(rightClaims(), (await generateKeyPair('ES256')).privateKey, 'unknown'),
  ],
  [
    'whose claims were changed',
    async () => {
      const [head, , signature] = (await issuer.sign()).split('.');
      const claims = Buffer.from(JSON.stringify({ ...rightClaims(), sub: 'root' })).toString('base64url');
      return [head, claims, signature].join('.');
    },
  ],
  ['whose signature was cut', async () => (await issuer.sign()).slice(0, -4)],
  ['that is none', async () => 'e30.e30.e30'],
];

test.each(wrong)('answers 401 to a token %s', async (_name, make) => {
  expect(await send(await make())).toEqual({
    status: 401,
    body: expect.stringContaining('"UNAUTHENTICATED"'),
    challenge: 'Bearer realm="hookgraph", error="invalid_token"',
  });
});

test('would take most of these, if it did not ask for an issuer, an audience, an end and an algorithm', async () => {
  const { keys } = await (await fetch(`${issuer.server.url}/keys`)).json();
  for (const claims of [{ exp: undefined }, { iss: 'other' }, { aud: 'other' }, { sub: undefined }]) {
    expect((await jwtVerify(await issuer.sign(claims), createLocalJWKSet({ keys }))).payload).toBeTruthy();
  }
  const secret = Buffer.from(JSON.stringify(keys[0]).padEnd(64));
  const token = await signClaims(rightClaims(), secret, 'first', 'HS256');
  expect((await jwtVerify(token, secret)).payload.sub).toBe('alice');
  const read = createJwtReader(
    { issuer: issuerName, audience },
    { find: () => secret as never, renew: async () => false, readings: () => 1 },
    new Set(),
  );
  await expect(read(token)).rejects.toThrow('alg');
});

test.each<[string, Claims, string[]]>([
  ['a text', { scope: 'openid webhooks:read webhooks:write' }, ['webhooks:read', 'webhooks:write']],
  ['a list', { scope: undefined, scp: ['webhooks:payloads', 'admin', 7] }, ['webhooks:payloads']],
  ['a text named scp', { scope: undefined, scp: 'webhooks:write' }, ['webhooks:write']],
  ['none', { scope: undefined }, []],
  ['others alone', { scope: 'webhooks:* webhooks' }, []],
  ['no text', { scope: { read: true } }, []],
])('reads the scopes from %s', async (_name, claims, scopes) => {
  const identity = await authentication.identify([`Bearer ${await issuer.sign(claims)}`]);
  expect(identity).toEqual({ name: 'alice', scopes: new Set(scopes) });
});

test.each<[Claims, RegExp]>([
  [{ sub: 'alice@acme.example' }, /^alice@acme\.example$/],
  [{ sub: undefined, client_id: 'batch' }, /^batch$/],
  [{ sub: '', client_id: 'batch' }, /^batch$/],
  [{ sub: 'auth0|5f7c8ec7' }, /^auth0_5f7c8ec7\.[\da-f]{8}$/],
  [{ sub: 'a\r\n{"level":"fatal"}' }, /^a____level___fatal__\.[\da-f]{8}$/],
  [{ sub: 'a'.repeat(65) }, /^a{55}\.[\da-f]{8}$/],
  // Whose name it is already keeps it, and with it what is counted under it.
  [{ sub: 'app' }, /^app\.[\da-f]{8}$/],
])('names the caller of %j as logs can show it', async (claims, name) => {
  const identity = await authentication.identify([`Bearer ${await issuer.sign(claims)}`]);
  expect(identity).toEqual({ name: expect.stringMatching(name), scopes: new Set(['webhooks:read']) });
});

test('keeps apart whom cutting would make one', async () => {
  const names = await Promise.all(
    ['auth0|x', 'auth0/x'].map(async (sub) => authentication.identify([`Bearer ${await issuer.sign({ sub })}`])),
  );
  expect(names[0]).not.toEqual(names[1]);
});

/** A reader of the issuer's tokens, which tells how often it looked for a key: each signature that is checked needs one. */
function readWithKeys(keys: JSONWebKeySet) {
  let reading = 1;
  let checks = 0;
  const local = createLocalJWKSet(keys);
  const find: JWTVerifyGetKey = (...token) => {
    checks += 1;
    return local(...token);
  };
  const keySet = { find, renew: async () => false, readings: () => reading };
  const taken = new Set<string>();
  const read = createJwtReader({ issuer: issuerName, audience }, keySet, taken);
  const readKeys = () => {
    reading += 1;
  };
  return { read, taken, readKeys, checks: () => checks };
}

async function startReading() {
  return readWithKeys(await (await fetch(`${issuer.server.url}/keys`)).json());
}

test('checks the signature of a token once for each reading of the keys', async () => {
  const { read, readKeys, checks } = await startReading();
  const token = await issuer.sign({ scope: 'webhooks:read webhooks:write' });
  const first = await read(token);
  for (let again = 0; again < 5; again++) expect(await read(token)).toEqual(first);
  expect(checks()).toBe(1);
  await read(await issuer.sign({ jti: 'another' }));
  expect(checks()).toBe(2);
  readKeys();
  expect(await read(token)).toEqual(first);
  expect(checks()).toBe(3);
});

test('takes no token for one that was good and differs in a character', async () => {
  const { read } = await startReading();
  const token = await issuer.sign();
  await read(token);
  const at = token.lastIndexOf('.') + 10;
  const forged = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
  await expect(read(forged)).rejects.toThrow('signature');
});

test('takes a token that was good no longer than it is', async () => {
  const { read } = await startReading();
  // Clocks may differ by ten seconds.
  const token = await issuer.sign({ exp: seconds(-8) });
  expect(await read(token)).toMatchObject({ name: 'alice' });
  await eventually(() => expect(read(token)).rejects.toThrow('"exp"'));
});

test('names a caller who was known anew where the name came to be that of another', async () => {
  const { read, taken } = await startReading();
  const token = await issuer.sign();
  expect((await read(token)).name).toBe('alice');
  taken.add('alice');
  expect((await read(token)).name).toMatch(/^alice\.[\da-f]{8}$/);
});

test('remembers ten thousand tokens, and checks again who was away longest', async () => {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'first' }] };
  const { read, checks } = readWithKeys(keys);
  const sign = (jti: number) => signClaims({ ...rightClaims(), jti: String(jti) }, privateKey, 'first', 'EdDSA');
  const first = await sign(0);
  await read(first);
  for (let from = 1; from <= 10_000; from += 100) {
    await Promise.all(Array.from({ length: 100 }, async (_none, index) => read(await sign(from + index))));
  }
  expect(checks()).toBe(10_001);
  await read(first);
  expect(checks()).toBe(10_002);
});
