import { readFileSync } from 'node:fs';
import { Lexer, parse, Source, TokenKind, visit } from 'graphql';

/** What is limited of a document. */
export interface Size {
  readonly tokens: number;
  readonly aliases: number;
  readonly depth: number;
}

/** The limits, as they are promised. */
export function readLimits(): Size {
  const text = readFileSync(new URL('../../../SECURITY.md', import.meta.url), 'utf8');
  const found = /(\d+) tokens, (\d+) aliases[^,]*, \d+ directives, a depth of (\d+)/.exec(text);
  if (!found) throw new Error('SECURITY.md says nothing of documents.');
  const [tokens = 0, aliases = 0, depth = 0] = found.slice(1).map(Number);
  return { tokens, aliases, depth };
}

/** Measures a document whose fragments are all inline, as gateways send them. */
export function measure(document: string): Size {
  const size = { tokens: 0, aliases: 0, depth: 0 };
  const lexer = new Lexer(new Source(document));
  while (lexer.advance().kind !== TokenKind.EOF) size.tokens += 1;
  let depth = 0;
  visit(parse(document), {
    Field: {
      enter({ alias }) {
        if (alias) size.aliases += 1;
        depth += 1;
        size.depth = Math.max(size.depth, depth);
      },
      leave() {
        depth -= 1;
      },
    },
  });
  return size;
}

/** The largest of each. */
export function largest(sizes: readonly Size[]): Size {
  const most = (pick: (size: Size) => number) => Math.max(0, ...sizes.map(pick));
  return { tokens: most((it) => it.tokens), aliases: most((it) => it.aliases), depth: most((it) => it.depth) };
}
