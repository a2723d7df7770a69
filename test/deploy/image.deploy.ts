import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isInContext } from './support/dockerfile.ts';
import { besides, buildImage, type Image, inImage, prepareRoot } from './support/image.ts';
import { attempt, type RunOptions, run, scratchFolder, start } from './support/run.ts';

const scratch = scratchFolder();
let image: Image;

beforeAll(async () => {
  image = await buildImage(scratch.path);
  prepareRoot(image);
});

afterAll(() => scratch.close());

/** The environment in the image, with what would come by `docker run -e`. */
function environment(more: Record<string, string> = {}): RunOptions {
  return { env: { ...image.env, PATH: `${image.env.PATH}:/usr/sbin:/sbin`, ...more } };
}

const asks = (query: string) => [
  'node',
  '-e',
  `fetch('http://127.0.0.1:4000/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(JSON.stringify({ query }))} })
    .then(async (answer) => console.log(await answer.text()))`,
];

test('takes nothing into the build that the program does not need', () => {
  const outside = ['.git', '.env', 'node_modules', 'test', 'deploy/apimall-api-key', 'dist', '.npmrc'];
  expect(outside.filter(isInContext)).toEqual([]);
  expect(isInContext('src/main.ts')).toBe(true);
});

test('has the built program, and no packages beside it', () => {
  const parts = ['dist/cli.js', 'node_modules', 'src'];
  expect(parts.filter((part) => existsSync(join(image.folder, image.workdir, part)))).toEqual(['dist/cli.js']);
});

test('is run by a user without rights, and gets signals itself', () => {
  expect([image.user, image.isExec]).toEqual(['node', true]);
  expect(image.env.NODE_ENV).toBe('production');
});

test('serves, is healthy, can write nowhere, and ends with 0 on SIGTERM', async () => {
  const words = [...image.entrypoint, ...image.cmd];
  const env = environment({ AUTH: 'none', SANDBOX: 'on' });
  await using program = await start(...inImage(image, words), / at http:/, env);
  const beside = (command: readonly string[]) => attempt(...besides(image, program.pid, command), env);

  expect(await beside(asks('{ webhooks(filter: { provider: [API_MALL] }) { totalCount complete } }'))).toEqual({
    code: 0,
    output: '{"data":{"webhooks":{"totalCount":24,"complete":true}}}\n',
  });
  expect((await beside(asks('{ __schema { types { name } } }'))).output).toContain('introspection has been disabled');
  expect(await beside(image.healthcheck)).toEqual({ code: 0, output: '' });

  expect(await beside(['id', '-u'])).toMatchObject({ output: '65534\n' });
  const writing = await beside(['sh', '-c', 'touch /app/x /app/dist/x /x /usr/x']);
  expect([writing.code, writing.output.match(/Read-only file system/g)]).toEqual([
    1,
    Array(4).fill('Read-only file system'),
  ]);

  expect(await program.stop()).toBe(0);
});

test('is not healthy where nothing listens', async () => {
  expect(await attempt(...inImage(image, image.healthcheck), environment())).toMatchObject({ code: 1 });
});

test('does not start where it says nothing of who may call', async () => {
  const ended = await attempt(...inImage(image, [...image.entrypoint, ...image.cmd]), environment({ SANDBOX: 'on' }));
  expect(ended).toEqual({ code: 1, output: expect.stringMatching(/HOST: is beyond loopback/) });
});

test('runs the other commands, too', async () => {
  const command = (name: string) => inImage(image, [...image.entrypoint, name]);
  expect(await run(...command('check'), environment({ AUTH: 'none', SANDBOX: 'on' }))).toContain('apimall: OK');
  expect(await run(...command('token'), environment())).toMatch(/ webhooks:read sha256:[\da-f]{64}\n$/);
});
