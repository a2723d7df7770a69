import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCommand } from './support/program.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

test('tells its commands, and where its settings are described', async () => {
  const { code, stdout, stderr } = await runCommand(['--help'], { APIMALL_API_KEY: 'canary' });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.match(/^ {2}[a-z]+/gm)?.map((line) => line.trim())).toEqual(['serve', 'check', 'schema']);
  expect(stdout).toContain('README.md');
  expect(stdout).not.toContain('canary');
});

test('tells its version', async () => {
  expect(await runCommand(['serve', '--version'])).toEqual({
    code: 0,
    stdout: `${JSON.parse(read('package.json')).version}\n`,
    stderr: '',
  });
});

test('prints the schema', async () => {
  expect(await runCommand(['schema'])).toEqual({ code: 0, stdout: read('schema.graphql'), stderr: '' });
});

test.each([
  [['shema'], "There is no command 'shema'."],
  [['constructor'], "There is no command 'constructor'."],
  [['--prot=4000'], "Unknown option '--prot'"],
  [['schema', '--json'], "Unknown option '--json'"],
  [['check', 'apimall'], "Unexpected argument 'apimall'. This command does not take positional arguments"],
])('ends with 2 and says what is wrong with %j', async (args, fault) => {
  expect(await runCommand(args)).toEqual({ code: 2, stdout: '', stderr: `${fault}\nSee hookgraph --help.\n` });
});
