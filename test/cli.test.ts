import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCommand } from './support/program.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

test('tells its commands, and where its settings are described', async () => {
  const { code, stdout, stderr } = await runCommand(['--help'], { APIMALL_API_KEY: 'canary' });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.match(/^ {2}[a-z]+/gm)?.map((line) => line.trim())).toEqual(['serve', 'check', 'token', 'schema']);
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

test('ends with 2 and says what is wrong with what it does not know', async () => {
  const wrong = [
    [['shema'], "There is no command 'shema'."],
    [['--prot=4000'], "Unknown option '--prot'"],
    [['schema', '--json'], "Unknown option '--json'"],
    [['check', 'apimall'], "Unexpected argument 'apimall'. This command does not take positional arguments"],
  ] as const;
  const ended = await Promise.all(wrong.map(([args]) => runCommand(args)));
  const told = wrong.map(([, fault]) => ({ code: 2, stdout: '', stderr: `${fault}\nSee hookgraph --help.\n` }));
  expect(ended).toEqual(told);
});
