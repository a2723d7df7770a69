import { readFileSync } from 'node:fs';

/** The fenced blocks of README.md in a language, in order; only those right under `heading`, if it is given. */
export function readmeBlocks(language: string, heading?: string): string[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const sections = readme
    .split(/^##+ /m)
    .filter((section) => heading === undefined || section.startsWith(`${heading}\n`));
  return sections.flatMap((section) =>
    [...section.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block),
  );
}
