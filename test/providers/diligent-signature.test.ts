import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { verifyDiligentSignature } from '../../src/providers/diligent/signature.ts';

// No vector was made with node:crypto. Those that name no RFC are what this printed:
// printf '%s' "$BODY" | openssl dgst -sha256 -hmac "$SECRET"

const secret = 'whsec_Zx81-test';
const text = String.raw`{"id": "3f0c", "monitoring_id": "77", "website": "https:\/\/acme.example\/", "score": 1.0}`;
const body = Buffer.from(text);
const digest = '8832edb2a52d0667f2e289372db6ddde4a8057dd90f7c89e7ebcbf6218230a8b';
const signature = `sha256=${digest}`;
const delivery = { body, signature, secret };

const vectors: readonly [string, Buffer, string, string][] = [
  ['a payload', body, secret, digest],
  [
    'a body and a secret beyond ASCII',
    Buffer.from('{"website": "Żółć & 株式会社 🏢", "state": "COMPLETED"}'),
    'clé-秘密',
    '7c84573119ee80c8a261b97f67a92a60c11345cc8547405615e0a634c65916b1',
  ],
  ['no body', Buffer.alloc(0), secret, '09b1883077678ac17b85bb14e671c37c7d649482fecb139a41b8740af408e01a'],
  [
    // printf '\377\000\r\n\200{' | openssl …
    'bytes that are no text',
    Buffer.from([0xff, 0x00, 0x0d, 0x0a, 0x80, 0x7b]),
    secret,
    'c05b03cc0d316ca9481570bd056bbef9f78dfa349a5332dff1845586fe844ed0',
  ],
  [
    'a secret that is longer than a block of SHA-256',
    Buffer.from('{}'),
    'k'.repeat(131),
    'bf56b1f6cc96e155b1f9695de165b01027af10d5c2b024bfc5c937a155402daf',
  ],
  // Cases 3, 6 and 7 have keys that no text has in UTF-8.
  [
    'RFC 4231, case 1',
    Buffer.from('Hi There'),
    '\x0b'.repeat(20),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    'RFC 4231, case 2',
    Buffer.from('what do ya want for nothing?'),
    'Jefe',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    'RFC 4231, case 4',
    Buffer.alloc(50, 0xcd),
    String.fromCharCode(...Array.from({ length: 25 }, (_, index) => index + 1)),
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
];

function flip(bytes: Buffer, bit: number): Buffer {
  return Buffer.from(bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)));
}

function bitsOf(bytes: Buffer): number[] {
  return [...Array(bytes.length * 8).keys()];
}

test.each(vectors)('verifies %s', (_name, body, secret, digest) => {
  expect(verifyDiligentSignature({ body, signature: `sha256=${digest}`, secret })).toBe(true);
  expect(verifyDiligentSignature({ body: new Uint8Array(body), signature: `sha256=${digest}`, secret })).toBe(true);
});

test('verifies none of them with the body or the secret of the next', () => {
  for (const [index, [, body, secret, digest]] of vectors.entries()) {
    const [, otherBody, otherSecret] = vectors.at(index - 1) ?? [];
    if (!otherBody || !otherSecret) throw new Error('There are several');
    expect(verifyDiligentSignature({ body: otherBody, signature: `sha256=${digest}`, secret })).toBe(false);
    const isSame = otherSecret === secret;
    expect(verifyDiligentSignature({ body, signature: `sha256=${digest}`, secret: otherSecret })).toBe(isSame);
  }
});

test('refuses the truncated code of RFC 4231, case 5, whose whole one it verifies', () => {
  const whole = 'a3b6167473100ee06e0c796c2955552bfa6f7c0a6a8aef8b93f860aab0cd20c5';
  const own = { body: Buffer.from('Test With Truncation'), secret: '\x0c'.repeat(20) };
  expect(verifyDiligentSignature({ ...own, signature: `sha256=${whole}` })).toBe(true);
  expect(verifyDiligentSignature({ ...own, signature: `sha256=${whole.slice(0, 32)}` })).toBe(false);
});

test('refuses each body that differs by one bit, and each signature', () => {
  const bodies = bitsOf(body).filter((bit) => verifyDiligentSignature({ ...delivery, body: flip(body, bit) }));
  expect(bodies).toEqual([]);
  const bytes = Buffer.from(digest, 'hex');
  const signatures = bitsOf(bytes).filter((bit) =>
    verifyDiligentSignature({ ...delivery, signature: `sha256=${flip(bytes, bit).toString('hex')}` }),
  );
  expect(signatures).toEqual([]);
});

test('refuses secrets that are nearly right', () => {
  // The first bit of ASCII is left alone: what is not UTF-8 would be one replacement character for all.
  const near = bitsOf(Buffer.from(secret)).filter((bit) => bit % 8 !== 7);
  const secrets = near.map((bit) => flip(Buffer.from(secret), bit).toString());
  expect(verifyDiligentSignature({ ...delivery, secret: [...secrets, `${secret}\n`, secret.slice(1)] })).toBe(false);
});

test('refuses a body that was parsed and written anew, though it says the same', () => {
  const anew = JSON.stringify(JSON.parse(text));
  expect(JSON.parse(anew)).toEqual(JSON.parse(text));
  expect(verifyDiligentSignature({ ...delivery, body: Buffer.from(anew) })).toBe(false);
});

test('takes hex in capitals, which is the same bytes', () => {
  expect(verifyDiligentSignature({ ...delivery, signature: `sha256=${digest.toUpperCase()}` })).toBe(true);
});

test.each<[string, string | string[] | null | undefined]>([
  ['a missing header, as node:http has it', undefined],
  ['a missing header, as Fetch has it', null],
  ['a missing header, as a list', []],
  ['nothing', ''],
  ['no prefix', digest],
  ['the prefix alone', 'sha256='],
  ['the prefix in capitals', `SHA256=${digest}`],
  ['another algorithm', `sha512=${digest}`],
  ['a space', `sha256= ${digest}`],
  ['a line break after it', `${signature}\n`],
  ['something before it', `v1,${signature}`],
  ['a digit too few', signature.slice(0, -1)],
  ['a byte too few', signature.slice(0, -2)],
  ['a byte too many', `${signature}00`],
  ['what is no hex', `sha256=${digest.slice(0, -2)}zz`],
  ['base64', `sha256=${Buffer.from(digest, 'hex').toString('base64')}`],
  ['a digit of another script', `sha256=${digest.slice(0, -1)}８`],
  ['very much', `sha256=${digest.repeat(1000)}`],
  ['two headers, as node:http joins them', `${signature}, ${signature}`],
  ['two headers, as a list', [signature, signature]],
  ['two headers, the wrong one first', [`sha256=${'0'.repeat(64)}`, signature]],
])('refuses %s', (_name, signature) => {
  expect(verifyDiligentSignature({ ...delivery, signature })).toBe(false);
});

test('takes a header as Fetch gives it, and one alone in a list', () => {
  const headers = new Headers([['x-signature', signature]]);
  expect(verifyDiligentSignature({ ...delivery, signature: headers.get('X-Signature') })).toBe(true);
  expect(verifyDiligentSignature({ ...delivery, signature: [signature] })).toBe(true);
  headers.append('x-signature', signature);
  expect(verifyDiligentSignature({ ...delivery, signature: headers.get('X-Signature') })).toBe(false);
});

test('takes each of several secrets while they are changed, and no other', () => {
  expect(verifyDiligentSignature({ ...delivery, secret: ['new', secret] })).toBe(true);
  expect(verifyDiligentSignature({ ...delivery, secret: [secret, 'new'] })).toBe(true);
  expect(verifyDiligentSignature({ ...delivery, secret: ['new', 'newer'] })).toBe(false);
});

test.each<[string, object, string]>([
  ['a body as text', { body: text }, 'body'],
  ['a parsed body', { body: JSON.parse(text) }, 'body'],
  ['an array of bytes', { body: [...body] }, 'body'],
  ['no body, as where something has read it before', { body: undefined }, 'body'],
  ['an ArrayBuffer', { body: new ArrayBuffer(2) }, 'body'],
  ['an empty secret', { secret: '' }, 'secret'],
  ['no secret', { secret: undefined }, 'secret'],
  ['no secret in a list', { secret: [] }, 'secret'],
  ['an empty secret beside another', { secret: [secret, ''] }, 'secret'],
  ['a secret that is bytes', { secret: Buffer.from(secret) }, 'secret'],
  ['all headers in place of one', { signature: new Headers() }, 'signature'],
  ['a list of what is no text', { signature: [1] }, 'signature'],
])('throws a TypeError that names the mistake and no value for %s', (_name, wrong, named) => {
  // Also where nothing is signed, so that a mistake is seen at the first delivery.
  for (const signature of [delivery.signature, undefined]) {
    const given = { ...delivery, signature, ...wrong };
    expect(() => verifyDiligentSignature(given)).toThrow(TypeError);
    expect(() => verifyDiligentSignature(given)).toThrow(new RegExp(`^${named} must be`));
    expect(() => verifyDiligentSignature(given)).not.toThrow(secret);
  }
});

test('would take what everybody can sign under an empty secret, if it did not throw', () => {
  // printf '%s' "$BODY" | openssl dgst -sha256 -mac HMAC -macopt hexkey:00
  // A key is filled up with zeros (RFC 2104, section 2), so one zero is the same key as none.
  const everybodys = 'sha256=f44513dfa4bf492ebcfb7b3a69bbe22008771f5355a340e6b856a4673fa5d144';
  expect(verifyDiligentSignature({ body, signature: everybodys, secret: '\0' })).toBe(true);
  expect(() => verifyDiligentSignature({ body, signature: everybodys, secret: '' })).toThrow('secret');
});

function importsOf(path: string): string[] {
  const source = readFileSync(new URL(`../../src/providers/diligent/${path}`, import.meta.url), 'utf8');
  return [...source.matchAll(/(?:from|import|require)\s*\(?\s*'([^']+)'/g)].map(([, target = '']) => target);
}

test('loads nothing of the gateway', () => {
  expect(importsOf('signature.ts')).toEqual(['node:crypto']);
  expect(importsOf('index.ts')).toContain('../../upstream/snapshot.ts');
});
