import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generate } from '@graphql-codegen/cli';
import { preset } from '@graphql-codegen/client-preset';
import { readmeBlocks } from '../support/readme.ts';

const root = new URL('../../', import.meta.url);

const scalars = { DateTime: 'string', ID: 'string', SafeInt: 'number', WebhookSecret: 'string' };

/** The queries of README.md as typed documents: each file by its path from the root. */
export async function printOperations(): Promise<Record<string, string>> {
  const source = await generateSource();
  const folder = await mkdtemp(join(tmpdir(), 'hookgraph-operations-'));
  try {
    // Node strips no types of what is installed, so that a package has to be JavaScript.
    await writeFile(join(folder, 'operations.ts'), source);
    await promisify(execFile)(
      process.execPath,
      [new URL('node_modules/typescript/bin/tsc', root).pathname, 'operations.ts', '--declaration', '--noCheck'].concat(
        '--target es2022 --module esnext --moduleResolution bundler'.split(' '),
      ),
      { cwd: folder },
    );
    const files = ['operations.js', 'operations.d.ts'].map(async (name) => {
      return [`src/client/${name}`, await readFile(join(folder, name), 'utf8')] as const;
    });
    return Object.fromEntries(await Promise.all(files));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function generateSource(): Promise<string> {
  const files: { filename: string; content: string }[] = await generate(
    {
      schema: await readFile(new URL('schema.graphql', root), 'utf8'),
      documents: readmeBlocks('graphql'),
      silent: true,
      generates: {
        './': {
          preset,
          presetConfig: { fragmentMasking: false },
          config: { strictScalars: true, scalars },
        },
      },
    },
    false,
  );
  const source = files.find(({ filename }) => filename.endsWith('graphql.ts'));
  if (!source) throw new Error('The client preset made no graphql.ts');
  return source.content;
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(await printOperations())) {
    await writeFile(new URL(path, root), text);
  }
}
