import { copyFileSync, cpSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isInContext, readDockerfile, type Stage } from './dockerfile.ts';
import { plainEnv, root, run } from './run.ts';

/** An image as far as it can be had without Docker: a folder that holds its files, and what it says of itself. */
export interface Image {
  /** Becomes the root of what runs in it. */
  readonly folder: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly healthcheck: readonly string[];
  /** Whether no shell stands between whoever sends a signal and the program. */
  readonly isExec: boolean;
}

/** Carries out the steps of the Dockerfile in `folder`; of the base image there is Node alone, the project's own. */
export async function buildImage(folder: string): Promise<Image> {
  const built = new Map<string, Image>();
  for (const stage of readDockerfile()) built.set(stage.name, await buildStage(join(folder, stage.name), stage, built));
  return [...built.values()].at(-1) ?? fail('no stage');
}

async function buildStage(folder: string, stage: Stage, built: ReadonlyMap<string, Image>): Promise<Image> {
  if (stage.base !== 'node:26-slim') fail(`FROM ${stage.base}`);
  mkdirSync(join(folder, 'opt/node/bin'), { recursive: true });
  copyFileSync(process.execPath, join(folder, 'opt/node/bin/node'));
  let image: Image = {
    folder,
    workdir: '/',
    env: { PATH: '/opt/node/bin:/usr/bin:/bin' },
    user: 'root',
    entrypoint: [],
    cmd: [],
    healthcheck: [],
    isExec: true,
  };
  for (const { name, words, text, flags, isExec } of stage.steps) {
    if (name === 'WORKDIR') {
      image = { ...image, workdir: text };
      mkdirSync(join(folder, text), { recursive: true });
    } else if (name === 'COPY') {
      copy(
        words,
        join(folder, image.workdir),
        flags.from === undefined ? root : (built.get(flags.from)?.folder ?? fail(text)),
      );
    } else if (name === 'RUN') {
      // Installing asks what the machine's own settings say; the image's variables are beside them.
      const env = { ...plainEnv, ...image.env, PATH: `${join(folder, 'opt/node/bin')}:${plainEnv.PATH}` };
      await run('sh', ['-c', text], { cwd: join(folder, image.workdir), env });
    } else if (name === 'ENV') {
      image = { ...image, env: { ...image.env, ...Object.fromEntries(words.map((word) => word.split('='))) } };
    } else if (name === 'USER') image = { ...image, user: text };
    else if (name === 'HEALTHCHECK') image = { ...image, healthcheck: words, isExec: image.isExec && isExec };
    else if (name === 'ENTRYPOINT') image = { ...image, entrypoint: words, isExec: image.isExec && isExec };
    else if (name === 'CMD') image = { ...image, cmd: words, isExec: image.isExec && isExec };
    else if (name !== 'EXPOSE') fail(`${name} is not understood here`);
  }
  return image;
}

/** As COPY does it: of a folder, what is in it. */
function copy(words: readonly string[], workdir: string, from: string): void {
  const target = join(workdir, words.at(-1) ?? '');
  for (const source of words.slice(0, -1)) {
    const path = join(from, source);
    if (from === root && !isInContext(source)) fail(`${source} is not in the context`);
    if (statSync(path).isDirectory()) cpSync(path, target, { recursive: true, verbatimSymlinks: true });
    else copyFileSync(path, join(target, basename(path)));
  }
}

/** Prepares the folder to be the root of processes: what the base image would hold of the system is this machine's. */
export function prepareRoot({ folder }: Image): void {
  for (const name of ['usr', 'etc', 'proc', 'dev']) mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(`usr/${name}`, join(folder, name));
}

/**
 * The command that runs `words` in the image as its user, who is nobody special here, with a root that nobody can write to and
 * a network of its own in which there is nobody else.
 */
export function inImage({ folder, workdir }: Image, words: readonly string[]): readonly [string, string[]] {
  const script = `set -e
    ip link set lo up
    for name in usr etc proc dev; do mount --rbind "/$name" "$0/$name"; done
    mount --bind "$0" "$0"
    mount -o remount,ro,bind "$0"
    for name in usr etc; do mount --rbind "/$name" "$0/$name"; mount -o remount,ro,bind "$0/$name"; done
    exec chroot --userspec=65534:65534 --groups= "$0" /usr/bin/env --chdir=${workdir} "$@"`;
  return ['unshare', ['--mount', '--net', '--ipc', 'sh', '-c', script, folder, ...words]];
}

/** The command that runs `words` beside a process of the image: in its root, its network and its user. */
export function besides({ workdir }: Image, pid: number, words: readonly string[]): readonly [string, string[]] {
  const inside = ['--net', '--root', `--wd=/proc/${pid}/cwd`, '--setuid', '65534', '--setgid', '65534'];
  return ['nsenter', [`--target=${pid}`, ...inside, '/usr/bin/env', `--chdir=${workdir}`, ...words]];
}

function fail(what: string): never {
  throw new Error(`Dockerfile: ${what}`);
}
