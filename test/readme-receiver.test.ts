import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Program, startProgram } from './support/program.ts';
import { readmeBlocks } from './support/readme.ts';

// The receiver of README.md as a process of its own, at a free port.

const secret = 'whsec_of-a-test';
const folder = mkdtempSync(join(tmpdir(), 'hookgraph-receiver-'));
const module = new URL('../src/providers/diligent/signature.ts', import.meta.url).href;
let receiver: Program;

beforeAll(async () => {
  const [code = ''] = readmeBlocks('ts', 'Verify deliveries');
  const shown = ["'hookgraph/diligent/signature'", 'receiver.listen(8080)'];
  expect(shown.filter((text) => !code.includes(text))).toEqual([]);
  const path = join(folder, 'receiver.mts');
  const told = "receiver.listen(0, () => console.log('at http://127.0.0.1:' + receiver.address().port))";
  writeFileSync(path, code.replace('hookgraph/diligent/signature', module).replace('receiver.listen(8080)', told));
  receiver = await startProgram({ DILIGENT_WEBHOOK_SECRET: secret }, path);
});

afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function sign(body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

async function deliver(id: string, body: string, signature: string | readonly string[]): Promise<number | undefined> {
  const headers = { 'content-type': 'application/json', 'x-event-id': id, 'x-signature': [signature].flat() };
  const sent = request(receiver.url, { method: 'POST', headers }).end(body);
  const [response] = await once(sent, 'response');
  response.resume();
  return response.statusCode;
}

test('what README.md shows takes what Diligent signed', async () => {
  const body = '{"id": "3f0c", "website": "https:\\/\\/żółć.example"}';
  expect(await deliver('event-1', body, sign(body))).toBe(200);
  expect(receiver.output()).toContain("event-1 { id: '3f0c', website: 'https://żółć.example' }");
});

test('what README.md shows refuses the rest, and stays', async () => {
  const body = '{"id":"3f0c"}';
  expect(await deliver('forged', '{"id":"3f0d"}', sign(body))).toBe(401);
  expect(await deliver('unsigned', body, [])).toBe(401);
  expect(await deliver('twice', body, [sign(body), sign(body)])).toBe(401);
  const cut = request(receiver.url, { method: 'POST', headers: { 'content-length': '1000' } });
  cut.write(body, () => cut.destroy());
  await expect(once(cut, 'response')).rejects.toThrow('socket hang up');
  await expect(deliver('no-json', 'text', sign('text'))).rejects.toThrow('socket hang up');
  expect(await deliver('event-2', body, sign(body))).toBe(200);
  expect(receiver.output()).not.toMatch(/forged|unsigned|twice/);
});
