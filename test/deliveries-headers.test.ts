import { expect, test } from 'vitest';
import { readMessage } from '../src/providers/delivery-message.ts';

const hex = '0123456789abcdef0123456789abcdef';

test.each([
  ['X-Acme-Check', `sha256=${hex}`],
  ['X-Acme-Digest', `SHA-512=${hex}`],
  ['X-Acme-Access', `Bearer ${hex}`],
  ['X-Acme-User', `basic ${hex}`],
  ['Bearer', hex],
  ['X-Pwd', hex],
  ['X-Pass', hex],
])('shows no header %s whose value is like a signature or a credential: %s, nor what repeats it', (name, value) => {
  const message = readMessage({ headers: { [name]: value, 'X-Event-Name': 'a' }, body: `echo ${hex}` }, null);
  expect(message?.headers).toEqual([{ name: 'X-Event-Name', value: 'a' }]);
  expect(message?.body).toBe('echo [hidden]');
});

test.each([
  ['Content-Type', 'application/json'],
  ['X-Passenger', 'basically'],
  ['ETag', '"sha256"'],
  ['User-Agent', 'DiligentAI/1.0'],
])('shows a header %s: %s', (name, value) => {
  expect(readMessage({ headers: { [name]: value }, body: null }, null)?.headers).toEqual([{ name, value }]);
});
