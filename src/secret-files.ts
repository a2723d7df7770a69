import { readFile } from 'node:fs/promises';
import { codeOf } from './config-files.ts';

/** A secret that stands in a file, and may change there while the program runs. */
export interface SecretFile {
  /** Its variable, such as `APIMALL_API_KEY_FILE`, for what is said of it. */
  readonly variable: string;
  readonly path: string;
  /** What it held when it was read at the start. */
  readonly text: string;
  /** Takes the text of the file from now on; or takes nothing, and tells what is wrong with it without repeating it. */
  take(text: string): string | null;
}

/** Follows files until it is closed. */
export interface SecretWatch {
  close(): void;
}

/**
 * Looks into each file every `everyMs` milliseconds; by its content, as that sees links that are turned to another folder,
 * too, which is how Kubernetes changes what it mounts. What two looks in a row found the same is taken, so that no
 * half-written file is. What cannot be taken leaves the secret as it was: `tell` hears of that once, and when it is over.
 */
export function watchSecretFiles(
  files: readonly SecretFile[],
  tell: (line: string) => void,
  everyMs = 500,
): SecretWatch {
  const looks = files.map((file) => oneAtATime(createLook(file, tell)));
  const timer = setInterval(() => {
    for (const look of looks) look();
  }, everyMs).unref();
  return { close: () => clearInterval(timer) };
}

/** A file system that hangs is not asked again meanwhile, and keeps no look into another file waiting. */
function oneAtATime(look: () => Promise<void>): () => void {
  let isLooking = false;
  return async () => {
    if (isLooking) return;
    isLooking = true;
    await look();
    isLooking = false;
  };
}

/** What was found in a file: its text, or why there is none. */
type Finding = { readonly text: string } | { readonly fault: string };

function createLook({ variable, path, text, take }: SecretFile, tell: (line: string) => void): () => Promise<void> {
  let settled = JSON.stringify({ text } satisfies Finding);
  let seen = settled;
  let isFaulty = false;
  return async () => {
    const finding = await find(path);
    const found = JSON.stringify(finding);
    const isSteady = found === seen;
    seen = found;
    if (!isSteady || found === settled) return;
    settled = found;
    const fault = 'fault' in finding ? finding.fault : take(finding.text);
    if (fault !== null) tell(`${variable}: ${fault}; what was read before stays in use`);
    else tell(`${variable}: ${isFaulty ? 'is in order again' : 'has changed'}; it is in use`);
    isFaulty = fault !== null;
  };
}

async function find(path: string): Promise<Finding> {
  try {
    const text = await readFile(path, 'utf8');
    return text.trim() === '' ? { fault: 'the file is empty' } : { text };
  } catch (error) {
    return { fault: `the file cannot be read${codeOf(error)}` };
  }
}
