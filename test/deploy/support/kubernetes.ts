import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { attempt, root } from './run.ts';

/** One object of a manifest. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: each kind has a shape of its own
  readonly spec: any;
}

/** The objects in the text of a manifest. */
export function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

/**
 * What the schema of Kubernetes finds wrong with these objects. Its validators let pass what they do not know, so that a
 * misspelt field is found by the types that are made from the same schema.
 */
export async function faultsOf(manifests: readonly Manifest[]): Promise<string[]> {
  const checked = await Promise.all(manifests.map(validate));
  return [...checked.flat(), ...(await misspelt(manifests))];
}

async function validate(manifest: Manifest): Promise<string[]> {
  const { [manifest.kind]: Kind } = await import(moduleOf(manifest));
  try {
    new Kind(manifest).validate();
    return [];
  } catch (error) {
    return [`${manifest.kind}: ${error instanceof Error ? error.message : error}`];
  }
}

async function misspelt(manifests: readonly Manifest[]): Promise<string[]> {
  const folder = mkdtempSync(join(root, 'test/deploy/manifests-'));
  try {
    const lines = manifests.map(
      (manifest, index) =>
        `import type { I${manifest.kind} as Kind${index} } from '${moduleOf(manifest)}';
         export const it${index}: Kind${index} = ${JSON.stringify(manifest)};`,
    );
    writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'));
    writeFileSync(join(folder, 'tsconfig.json'), '{ "extends": "../tsconfig.json", "include": ["."] }');
    const { output } = await attempt(join(root, 'node_modules/.bin/tsc'), ['--project', folder, '--pretty', 'false']);
    return output.match(/error TS\d+: .*/g) ?? [];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function moduleOf({ apiVersion, kind }: Manifest): string {
  return `kubernetes-models/${apiVersion}/${kind}`;
}
