#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { inspect, type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { ConfigError } from './config.ts';
import { version } from './version.ts';

/** One of the things that the program can do. */
interface Command {
  readonly summary: string;
  /** Beside those that every command has. */
  readonly options?: ParseArgsOptionsConfig;
  /** Resolves with the exit code, or with none where the command sees to that itself. */
  run(options: Readonly<Record<string, unknown>>): Promise<number | undefined>;
}

/** What was typed is nothing that the program can do. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

// What a command needs is loaded with it.
const commands: Readonly<Record<string, Command>> = {
  serve: {
    summary: 'serve the graph; the same as no command',
    async run() {
      await import('./main.ts');
      return undefined;
    },
  },
  check: {
    summary: 'ask each source once, and tell what is wrong; with --json for machines',
    options: { json: { type: 'boolean' } },
    async run({ json }) {
      const { checkSources, describeCheck } = await import('./check.ts');
      const { readConfig } = await import('./config.ts');
      const { providers } = await import('./providers/index.ts');
      const config = readConfig(providers);
      const { sandbox } = config;
      const sources = await checkSources(config);
      const ok = sources.every((source) => source.ok);
      const lines = [
        ...sources.map(describeCheck),
        ...(sandbox ? ['This is the SANDBOX: no provider was asked.'] : []),
      ];
      print(json ? JSON.stringify({ ok, sandbox, sources }, null, 2) : lines.join('\n'));
      return ok ? 0 : 1;
    },
  },
  token: {
    summary: 'make a token and its entry for GATEWAY_TOKENS, or print the digest of one that is piped in',
    async run() {
      const { describeToken } = await import('./new-token.ts');
      try {
        return print(await describeToken(process.stdin));
      } catch (error) {
        throw misuse(error instanceof Error ? error.message : String(error));
      }
    },
  },
  schema: {
    summary: 'print the GraphQL schema',
    async run() {
      const { schema } = await import('./schema/index.ts');
      const { printServed } = await import('./schema/sdl.ts');
      print(printServed(schema).trimEnd());
      return 0;
    },
  },
};

const everywhere: ParseArgsOptionsConfig = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
};

try {
  const code = await run(process.argv.slice(2));
  if (code !== undefined) process.exitCode = code;
} catch (error) {
  const isOurs = error instanceof ConfigError || error instanceof UsageError;
  process.stderr.write(`${isOurs ? error.message : inspect(error)}\n`);
  process.exitCode = 2;
}

async function run(args: readonly string[]): Promise<number | undefined> {
  const name = args.find((arg) => !arg.startsWith('-')) ?? 'serve';
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw misuse(`There is no command ${inspect(name)}.`);
  const options = readOptions(args.toSpliced(args.indexOf(name), args.includes(name) ? 1 : 0), command);
  if (options.help) return print(help());
  if (options.version) return print(version);
  return command.run(options);
}

function readOptions(args: readonly string[], { options = {} }: Command): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ args, options: { ...everywhere, ...options } }).values;
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : String(error));
  }
}

function misuse(what: string): UsageError {
  return new UsageError(`${what}\nSee hookgraph --help.`);
}

function help(): string {
  const width = Math.max(...Object.keys(commands).map(({ length }) => length));
  return [
    'Usage: hookgraph [command]',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    '  -h, --help     print this',
    '  -v, --version  print the version',
    '',
    'Settings are environment variables, listed with their defaults in',
    fileURLToPath(new URL('../README.md', import.meta.url)),
    '',
    'check ends with 0 if all is well, with 1 if a source is not, with 2 if the settings are wrong.',
  ].join('\n');
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
