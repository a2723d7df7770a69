import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { describeToken } from '../src/new-token.ts';
import { digestOf, readTokens } from '../src/tokens.ts';

/** The command, with this on its standard input. */
async function run(input: string) {
  const cwd = new URL('..', import.meta.url).pathname;
  const child = spawn(process.execPath, ['src/cli.ts', 'token'], { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const code = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.end(input);
  return { output: await text(child.stdout), errors: await text(child.stderr), code: await code };
}

test('makes a token, and the entry for it', async () => {
  const { output, errors, code } = await run('');
  expect([errors, code]).toEqual(['', 0]);
  const [, token = '', entry = ''] = /^.*: +(hg_[\w-]{43})\n.*: +(.*)\n$/.exec(output) ?? [];
  const faults: string[] = [];
  expect(readTokens(entry, faults).map(({ digest }) => `sha256:${digest}`)).toEqual([digestOf(token)]);
  expect(faults).toEqual([]);
});

test('never makes one twice, and does not wait for a terminal', async () => {
  const terminal = () => Object.assign(new Readable({ read() {} }), { isTTY: true });
  expect(await describeToken(terminal())).not.toBe(await describeToken(terminal()));
});

test('prints the digest alone of a token that it is given', async () => {
  // FIPS 180-2, B.1.
  const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(await run('abc\n')).toEqual({ output: `sha256:${digest}\n`, errors: '', code: 0 });
});

test('refuses what no header can carry, and does not repeat it', async () => {
  const { output, errors, code } = await run('canary canary');
  expect([output, code]).toEqual(['', 2]);
  expect(errors).toMatch(/^A token consists of /);
  expect(errors).not.toContain('canary');
});
