import { readFileSync } from 'node:fs';
import { type Documents, readManifest } from './manifest.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment as it is read: without empty variables, and with what files hold. */
export interface FilledEnvironment {
  readonly env: Environment;
  /** The paths of the files that secrets came from, by the variables that they stand for. */
  readonly secretFiles: ReadonlyMap<string, string>;
}

/** Takes empty variables for ones that are not set, and reads each of `secrets` from the file that `NAME_FILE` names. */
export function withFiles(environment: Environment, secrets: readonly string[], faults: string[]): FilledEnvironment {
  const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const secretFiles = new Map<string, string>();
  for (const name of secrets) {
    const file = env[`${name}_FILE`];
    if (file === undefined) continue;
    secretFiles.set(name, file);
    if (env[name] !== undefined) faults.push(`${name}: is set, and so is ${name}_FILE; set one of the two`);
    try {
      env[name] = readSecret(readFileSync(file, 'utf8'));
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
