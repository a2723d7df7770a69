import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../support/program.ts';
import { readmeBlocks } from '../support/readme.ts';
import { hang, startUpstream } from '../support/upstream.ts';
import { attempt, plainEnv, root, run, scratchFolder, start } from './support/run.ts';

const scratch = scratchFolder();
const npm = process.env.npm_execpath ?? 'npm: start this with npm run test:deploy';
const releases: readonly [string, string][] = [
  ['22.22.2', join(root, 'test/deploy/node_modules/node-22/bin/node')],
  ['24.14.1', join(root, 'test/deploy/node_modules/node-24/bin/node')],
  [process.versions.node, process.execPath],
];
let tarball: string;

async function readText(url: URL): Promise<string> {
  return (await fetch(url)).text();
}

/** Prints what becomes of case 2 of RFC 4231, and of another body. */
const verifying = `
  import { verifyDiligentSignature } from 'hookgraph/diligent/signature';
  const signature = 'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
  const verify = (text) => verifyDiligentSignature({ body: Buffer.from(text), signature, secret: 'Jefe' });
  console.log(verify('what do ya want for nothing?'), verify('what do ya want for something?'));`;

beforeAll(async () => {
  const packed = await run(process.execPath, [npm, 'pack', '--silent', '--pack-destination', scratch.path], {
    env: { ...plainEnv, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
  });
  tarball = join(scratch.path, packed.trim().split('\n').at(-1) ?? '');
});

afterAll(() => scratch.close());

test('holds the compiled program and the client kit, and no script that runs at the install', async () => {
  const paths = (await run('tar', ['-tzf', tarball]))
    .trim()
    .split('\n')
    .map((path) => path.replace('package/', ''));
  const others = paths.filter((path) => !/^(dist|src\/client)\//.test(path));
  expect(others.sort()).toEqual(
    [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'package.json',
      'schema.graphql',
      'src/schema/subgraph.graphql',
    ].sort(),
  );
  expect(paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([]);
  expect(await run('tar', ['-xzOf', tarball, 'package/dist/LICENSES.txt'])).toMatch(/^undici \d.*\(MIT\)$/m);
  const { scripts } = JSON.parse(await run('tar', ['-xzOf', tarball, 'package/package.json']));
  expect(Object.keys(scripts).filter((name) => /install|prepare$/.test(name))).toEqual([]);
});

test('has a function for receivers that works without what the gateway installs, and its types', async () => {
  const folder = join(scratch.path, 'receiver');
  const own = join(folder, 'node_modules/hookgraph');
  mkdirSync(own, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1']);
  const source = readFileSync(join(own, 'dist/providers/diligent/signature.js'), 'utf8');
  expect(source.match(/^(import|export) .* from .*|require\(.*/gm)).toEqual([
    'import { createHmac, timingSafeEqual } from "node:crypto";',
  ]);
  writeFileSync(join(folder, 'run.mjs'), verifying);
  expect(await run(process.execPath, ['run.mjs'], { cwd: folder })).toBe('true false\n');
  const [shown = ''] = readmeBlocks('ts', 'Verify deliveries');
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--module', 'nodenext', ...types];
  writeFileSync(join(folder, 'right.mts'), shown);
  expect(await attempt(process.execPath, [...tsc, 'right.mts'], { cwd: folder })).toEqual({ code: 0, output: '' });
  writeFileSync(join(folder, 'wrong.mts'), shown.replace('({ body,', '({ body: body.toString(),'));
  const { output } = await attempt(process.execPath, [...tsc, 'wrong.mts'], { cwd: folder });
  expect(output).toContain("Type 'string' is not assignable to type 'Uint8Array");
});

describe.each(releases)('on Node %s', (version, node) => {
  const folder = join(scratch.path, version);
  const env = { ...plainEnv, PATH: `${dirname(node)}:/usr/bin:/bin`, PORT: '0' };
  const hookgraph = join(folder, 'node_modules/.bin/hookgraph');

  beforeAll(async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{"name":"user","private":true,"type":"module"}');
    const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--engine-strict', '--ignore-scripts'];
    await run(node, [npm, 'install', ...flags, tarball], { cwd: folder, env });
  });

  test('is that release', async () => {
    expect(await run(node, ['--version'])).toBe(`v${version}\n`);
  });

  test('serves the sandbox, and ends with 0 when it is told to stop', async () => {
    await using program = await start(hookgraph, [], / at (http:[^\s"]+)/, { cwd: folder, env });
    const [, url = ''] = / at (http:[^\s"]+)/.exec(program.output()) ?? [];
    const answer = await ask(url, '{ webhooks(filter: { provider: [API_MALL] }) { totalCount complete } }');
    expect(answer).toEqual({ data: { webhooks: { totalCount: 24, complete: true } } });
    const page = await fetch(url, { headers: { accept: 'text/html' } });
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('GraphiQL')]);
    expect(await program.stop()).toBe(0);
    expect(program.output()).not.toContain('Warning');
  });

  test('gives the places of all requests of a connection to others when their client leaves', async () => {
    await using upstream = await startUpstream(hang);
    const keys = { APIMALL_API_URL: upstream.url, APIMALL_API_KEY: 'test-key', SHARE_IN_FLIGHT: 'off' };
    const door = { ...env, ...keys, MAX_IN_FLIGHT: '4' };
    await using program = await start(hookgraph, [], / at (http:[^\s"]+)/, { cwd: folder, env: door });
    const [, url = ''] = / at (http:[^\s"]+)/.exec(program.output()) ?? [];
    const { hostname, port } = new URL(url);
    const client = connect(Number(port), hostname);
    const query = encodeURIComponent('{ webhooks { totalCount } }');
    client.write(`GET /graphql?query=${query} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`.repeat(4));
    await expect.poll(() => upstream.calls.length).toBe(4);
    expect((await fetch(`${url}?query={__typename}`)).status).toBe(503);
    client.destroy();
    const inFlight = async () =>
      /^hookgraph_requests_in_flight (.*)$/m.exec(await readText(new URL('/metrics', url)))?.[1];
    await expect.poll(inFlight).toBe('0');
    expect(await Promise.all(upstream.calls.map(({ ended }) => ended))).toEqual(Array(4).fill('left'));
  });

  test('checks, prints the schema and refuses what it does not know', async () => {
    const options = { cwd: folder, env };
    expect(await run(hookgraph, ['check'], options)).toContain('diligent: OK');
    expect(await run(hookgraph, ['schema'], options)).toBe(readFileSync(join(root, 'schema.graphql'), 'utf8'));
    expect(await attempt(hookgraph, ['--nonsense'], options)).toMatchObject({ code: 2 });
  });

  test('has the client kit', async () => {
    const script = `
      import { keys } from 'hookgraph/client/keys';
      import { ByIdDocument } from 'hookgraph/client/operations';
      import possibleTypes from 'hookgraph/client/possible-types.json' with { type: 'json' };
      import { createRequire } from 'node:module';
      createRequire(import.meta.url).resolve('hookgraph/schema.graphql');
      console.log(Object.keys(keys).length > 0, ByIdDocument.kind, possibleTypes.Webhook.length);`;
    writeFileSync(join(folder, 'kit.js'), script);
    expect(await run(node, ['kit.js'], { cwd: folder, env })).toBe('true Document 2\n');
  });

  test('has the function for receivers', async () => {
    writeFileSync(join(folder, 'verifying.js'), verifying);
    expect(await run(node, ['verifying.js'], { cwd: folder, env })).toBe('true false\n');
  });

  test('runs no TypeScript under node_modules, which is why it is compiled', async () => {
    cpSync(join(root, 'src/address.ts'), join(folder, 'node_modules/hookgraph/address.ts'));
    const { code, output } = await attempt(node, ['node_modules/hookgraph/address.ts'], { cwd: folder, env });
    expect([code, output]).toEqual([1, expect.stringContaining('ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING')]);
  });
});
