import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { ask, startProgram } from './support/program.ts';

const root = new URL('..', import.meta.url).pathname;
const env = { PATH: process.env.PATH, PORT: '0' };

function preload(script: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}

test.concurrent('writes what a developer needs of a fault that nobody handled, bounded, in one line', async () => {
  await using program = await startProgram(
    preload(`process.on('SIGUSR2', () => {
      const text = '\\u001b[31m\\u2028\\n{"msg":"forged"}' + 'x'.repeat(5000);
      let error = new TypeError('The first cause', { cause: 'a text' });
      for (let depth = 0; depth < 9; depth++) error = Object.assign(new Error(text, { cause: error }), { code: 'E_ODD', key: ['can', 'ary'].join('') });
      Promise.reject(error);
    });`),
  );
  program.signal('SIGUSR2');
  expect(await program.ended).toBe(1);
  const line = program.lines().find(({ level }) => level === 'error');
  expect(line).toMatchObject({ msg: 'internal error', error: { name: 'Error', code: 'E_ODD' } });
  expect(line?.error.message).toMatch(/^\\u001b\[31m\\u2028\\u000a\{"msg":"forged"\}x{400,500}$/);
  expect(line?.error.stack).toMatch(/^ {4}at \S/);
  expect(line?.error.cause.cause.cause.cause).toMatchObject({ name: 'Error', code: 'E_ODD' });
  expect(line?.error.cause.cause.cause.cause).not.toHaveProperty('cause');
  expect(JSON.stringify(line).length).toBeLessThan(20_000);
  expect(program.output()).not.toMatch(/canary|\u2028/);
  expect(program.lines().map(({ msg }) => msg)).not.toContain('forged');
  expect(program.lines().at(-1)).toMatchObject({ msg: 'stopped', faulty: true });
});

test.concurrent('loses no line at an exit that comes without a word', async () => {
  await using program = await startProgram(preload("process.on('SIGUSR2', () => process.exit(3));"));
  await ask(program.url, 'query Last { webhookSources { key } }');
  program.signal('SIGUSR2');
  expect(await program.ended).toBe(3);
  expect(program.lines().at(-1)).toMatchObject({ msg: 'operation', operation: 'Last' });
});

const nothingForAMinute = 'exec sleep 60';

/** Runs Node so that a pipe takes its standard output, of which somebody reads one line, and then does as `next` says. */
function intoFullPipe(args: readonly string[], next = nothingForAMinute) {
  const reader = `{ read -r line; echo "$line" >&2; ${next}; }`;
  const script = `sh -c '"$@" & echo "PID $!" >&2; wait $!; echo "ENDED $?" >&2' sh "$@" | ${reader}`;
  const child = spawn('sh', ['-c', script, 'sh', process.execPath, ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  return {
    output: () => output,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      // The whole group, as the shell is not who reads.
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await ended;
    },
  };
}

test.concurrent('serves on, and stops, while nobody reads what it writes', async () => {
  await using program = intoFullPipe(['src/main.ts']);
  const url = await urlOf(program);
  // More than the 64 KiB that a pipe holds.
  for (let asked = 0; asked < 50; asked += 1) {
    // While the machine is busy with something else, it may turn requests away for a second.
    await eventually(async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => ask(url, '{ __typename }')));
      expect(answers).toEqual(answers.map(() => ({ data: { __typename: 'Query' } })));
    });
  }
  const { origin } = new URL(url);
  expect(await (await fetch(`${origin}/metrics`)).text()).toContain('hookgraph_log_lines_dropped_total 0');
  process.kill(Number(/PID (\d+)/.exec(program.output())?.[1]), 'SIGTERM');
  await eventually(() => expect(program.output()).toContain('ENDED 0'));
});

/** Where the program says that it serves. */
async function urlOf({ output }: { output(): string }): Promise<string> {
  await eventually(() => expect(output()).toContain('at http'));
  return /at (http:[^"]+)/.exec(output())?.[1] ?? '';
}

test.concurrent('hands on what waited when somebody reads again, though nothing more happens', async () => {
  await using program = intoFullPipe(['src/main.ts'], 'sleep 3; cat >&2');
  const url = await urlOf(program);
  for (let asked = 0; asked < 30; asked += 1) {
    await Promise.all(Array.from({ length: 10 }, () => ask(url, '{ __typename }')));
  }
  await ask(url, 'query Last { __typename }');
  await eventually(() => expect(program.output()).toContain('"operation":"Last"'));
});

test.concurrent('would stand still in a pipe that blocks', async () => {
  const write = `
    const { writeSync } = require('node:fs');
    writeSync(1, 'at once\\n');
    for (let written = 0; written < 100; written++) writeSync(1, 'x'.repeat(1024));
    process.stderr.write('WRITTEN');`;
  await using blocking = intoFullPipe(['--eval', write]);
  await using free = intoFullPipe([
    '--eval',
    `try { process.stdout; ${write} } catch { process.stderr.write('FULL'); }`,
  ]);
  await eventually(() => expect(free.output()).toContain('FULL'));
  await eventually(() => expect(blocking.output()).toContain('at once'));
  expect(blocking.output()).not.toMatch(/WRITTEN|ENDED/);
});

test.concurrent('writes for people in a terminal', async ({ onTestFinished }) => {
  const terminal = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
  const child = spawn('python3', ['-c', terminal, process.execPath, 'src/main.ts'], {
    cwd: root,
    env: { ...env, NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const ended = once(child, 'exit');
  await eventually(() => expect(output).toContain('SANDBOX'));
  const [, url = ''] = /at (http:\S+)/.exec(output) ?? [];
  await ask(url, 'query Shown { webhookSources { key } }');
  await eventually(() => expect(output).toContain('operation: "Shown"'));
  // What Ctrl+C types.
  child.stdin.write('\u0003');
  expect(await ended).toEqual([0, null]);
  expect(output).toMatch(/INFO: hookgraph serves GraphQL and GraphiQL at http/);
  expect(output).not.toContain('"level"');
});
