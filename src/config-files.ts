import { readFileSync } from 'node:fs';
import { type Documents, readManifest } from './manifest.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment without empty variables, and with keys read from the files that `NAME_FILE` names. */
export function withFiles(environment: Environment, keys: readonly string[], faults: string[]): Environment {
  const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  for (const name of keys) {
    const file = env[`${name}_FILE`];
    if (file === undefined) continue;
    if (env[name] !== undefined) faults.push(`${name}: is set, and so is ${name}_FILE; set one of the two`);
    try {
      env[name] = readFileSync(file, 'utf8').trim();
      if (env[name] === '') faults.push(`${name}_FILE: the file is empty`);
    } catch (error) {
      faults.push(`${name}_FILE: the file cannot be read${codeOf(error)}`);
      env[name] = 'unread';
    }
  }
  return env;
}

/** The documents of a manifest, if one is named. */
export function readDocuments(file: string | undefined, faults: string[]): Documents | null {
  if (file === undefined) return null;
  try {
    const documents = readManifest(readFileSync(file, 'utf8'));
    if (!documents) faults.push(`TRUSTED_DOCUMENTS: ${file} is no manifest of documents, of Apollo's form or Relay's`);
    return documents;
  } catch (error) {
    faults.push(`TRUSTED_DOCUMENTS: ${file} cannot be read${codeOf(error)}`);
    return null;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? ` (${error.code})` : '';
}
