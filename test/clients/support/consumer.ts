import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A project of somebody else: hookgraph is installed there, and so are the clients. */
export interface Consumer extends Disposable {
  readonly folder: string;
  /** Runs a file of the project, or of an installed package, with Node and returns what it prints. Throws if it fails. */
  run(file: string, ...args: readonly string[]): Promise<string>;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const packages = join(root, 'test/clients/node_modules');

/** Makes the project in a folder of its own. hookgraph is copied there and not linked, as Node runs what is installed as it is. */
export function createConsumer(): Consumer {
  const folder = mkdtempSync(join(tmpdir(), 'hookgraph-consumer-'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(packages)) symlinkSync(join(packages, name), join(folder, 'node_modules', name));
  for (const path of ['package.json', 'schema.graphql', 'src/client']) {
    cpSync(join(root, path), join(folder, 'node_modules/hookgraph', path), { recursive: true });
  }
  return {
    folder,
    async run(...args) {
      const ended = promisify(execFile)(process.execPath, args, { cwd: folder });
      // The TypeScript compiler prints its errors where others print results.
      const { stdout } = await ended.catch(({ message, stdout }) => Promise.reject(new Error(message + stdout)));
      return stdout;
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
