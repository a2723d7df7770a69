import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('./', import.meta.url);

/** Installs what the contestants need, unless it is there already, in the versions that are asked for. */
export function installPackages(told: (what: string) => void): void {
  const { dependencies } = readJson('package.json') as { dependencies: Record<string, string> };
  const isMissing = Object.entries(dependencies).some(([name, version]) => installedVersion(name) !== version);
  if (!isMissing) return;
  told('installing the contestants');
  npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], root);
}

/** Builds hookgraph as it is shipped. */
export function buildProgram(told: (what: string) => void): void {
  told('building hookgraph');
  npm(['run', '--silent', 'build'], new URL('../', root));
}

function npm(args: readonly string[], folder: URL): void {
  const { status } = spawnSync('npm', args, { cwd: fileURLToPath(folder), stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed in ${folder.pathname}`);
}

function installedVersion(name: string): unknown {
  const path = `node_modules/${name}/package.json`;
  return existsSync(new URL(path, root)) ? (readJson(path) as { version: unknown }).version : undefined;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, root), 'utf8'));
}
