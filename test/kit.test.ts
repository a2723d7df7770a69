import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type DocumentNode, parse, print } from 'graphql';
import introspection from 'hookgraph/client/introspection.json' with { type: 'json' };
import { keys } from 'hookgraph/client/keys';
import * as operations from 'hookgraph/client/operations';
import possibleTypes from 'hookgraph/client/possible-types.json' with { type: 'json' };
import { expect, test } from 'vitest';
import { providers } from '../src/providers/index.ts';
import { readmeBlocks } from './support/readme.ts';

const root = new URL('../', import.meta.url).pathname;
const webhookTypes = providers.map(({ type }) => type.name).sort();

test('tells Apollo Client which types an interface has', () => {
  expect(possibleTypes).toEqual({ Node: [...webhookTypes, 'WebhookSource'], Webhook: webhookTypes });
  expect(webhookTypes).toEqual(expect.arrayContaining(['ApiMallWebhook', 'DiligentWebhook']));
});

test('tells graphcache which types have no key, and everything but what only gateways ask for', () => {
  const isOfProvider = (name: string) => webhookTypes.some((type) => name.startsWith(type));
  expect(Object.keys(keys).filter(isOfProvider)).toEqual(
    expect.arrayContaining([
      'ApiMallWebhookCreatePayload',
      'DiligentWebhookCreatePayload',
      'DiligentWebhookUpdatePayload',
    ]),
  );
  expect(Object.keys(keys)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^\w+Webhook$/)]));
  expect(Object.keys(keys).filter((name) => !isOfProvider(name))).toEqual([
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

async function run(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  return stdout;
}
