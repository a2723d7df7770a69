import { readFileSync } from 'node:fs';
import { type Documents, readManifest } from './manifest.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment as it is read: without empty variables, and with what files hold. */
export interface FilledEnvironment {
  readonly env: Environment;
  readonly secretFiles: SecretFiles;
}

/** The files that secrets came from, and what they held, by the variables that they stand for: without `_FILE`. */
export type SecretFiles = ReadonlyMap<string, { readonly path: string; readonly text: string }>;

/** Takes empty variables for ones that are not set, and reads each of `secrets` from the file that `NAME_FILE` names. */
export function withFiles(environment: Environment, secrets: readonly string[], faults: string[]): FilledEnvironment {
  const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const secretFiles = new Map<string, { path: string; text: string }>();
  for (const name of secrets) {
    const file = env[`${name}_FILE`];
    if (file === undefined) continue;
    if (env[name] !== undefined) faults.push(`${name}: is set, and so is ${name}_FILE; set one of the two`);
    try {
      const text = readFileSync(file, 'utf8');
      secretFiles.set(name, { path: file, text });
      env[name] = readSecret(text);
      if (env[name] === '') faults.push(`${name}_FILE: the file is empty`);
    } catch (error) {
      faults.push(`${name}_FILE: the file cannot be read${codeOf(error)}`);
      env[name] = 'unread';
    }
  }
  return { env, secretFiles };
}

/** The secret in the text of its file: editors and `echo` leave a line break behind it. */
export function readSecret(text: string): string {
  return text.trim();
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

/** The code of what the system refused, as a message ends with it. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? ` (${error.code})` : '';
}
