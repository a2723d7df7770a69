import { readFileSync } from 'node:fs';

/** The fenced blocks of README.md in a language, in order; only those right under `heading`, if it is given. */
export function readmeBlocks(language: string, heading?: string): string[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const sections = readme.split(/^##+ /m).filter((it) => heading === undefined || it.startsWith(`${heading}\n`));
  if (sections.length === 0) throw new Error(`README.md has nothing under the heading ${heading}`);
  const fences = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms');
  return sections.flatMap((section) => [...section.matchAll(fences)].map(([, block = '']) => block));
}
