import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type DocumentNode, parse, print } from 'graphql';
import introspection from 'hookgraph/client/introspection.json' with { type: 'json' };
import { keys } from 'hookgraph/client/keys';
import * as operations from 'hookgraph/client/operations';
import possibleTypes from 'hookgraph/client/possible-types.json' with { type: 'json' };
import { expect, test } from 'vitest';
import { readmeBlocks } from './support/readme.ts';

const root = new URL('../', import.meta.url).pathname;

test('tells Apollo Client which types an interface has', () => {
  expect(possibleTypes).toEqual({
    Node: ['ApiMallWebhook', 'DiligentWebhook', 'WebhookSource'],
    Webhook: ['ApiMallWebhook', 'DiligentWebhook'],
  });
});

test('tells graphcache which types have no key, and everything but what only gateways ask for', () => {
  expect(Object.keys(keys)).toEqual([
    'ApiMallWebhookCreatePayload',
    'DiligentWebhookCreatePayload',
    'DiligentWebhookUpdatePayload',
    'WebhookDeletePayload',
    'WebhookDeliveryHeader',
    'WebhookDeliveryMessage',
    'WebhookDeliveryRedeliverPayload',
    'WebhookDeliveryStatusClassCount',
    'WebhookFailureSummary',
    'WebhookHealthCount',
    'WebhookLastDelivery',
    'WebhookSourceError',
    'WebhookSourceReport',
    'WebhookUserError',
    'WebhookWarning',
  ]);
  expect(new Set(Object.values(keys).map((key) => key()))).toEqual(new Set([null]));
  const names = introspection.__schema.types.map(({ name }) => name);
  expect(names).toContain('WebhookConnection');
  expect(names).not.toContain('_Service');
});

test('has the queries of the README as documents (else run: npm run kit)', () => {
  const documents = Object.values<DocumentNode>(operations).map(print);
  const shown = readmeBlocks('graphql').map((block) => print(parse(block)));
  expect(documents.sort()).toEqual(shown.sort());
});

test('is all that a package can import', async () => {
  const resolve = (path: string) => run('-p', `require.resolve('hookgraph/${path}')`);
  await expect(resolve('schema.graphql')).resolves.toBe(`${root}schema.graphql\n`);
  await expect(resolve('src/main.ts')).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
});

test('says what to do where the packages that make the documents are missing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hookgraph-kit-'));
  for (const path of ['test/clients/operations.ts', 'test/support/readme.ts', 'README.md', 'package.json']) {
    cpSync(join(root, path), join(folder, path));
  }
  const ended = run(join(folder, 'test/clients/operations.ts')).finally(() => rmSync(folder, { recursive: true }));
  await expect(ended).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^Cannot find package '@graphql-codegen\/cli'.*npm ci --prefix test\/clients\n$/s),
  });
});

async function run(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  return stdout;
}
