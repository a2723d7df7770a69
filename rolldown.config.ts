import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'rolldown';

const built = {
  platform: 'node',
  // The oldest release that `engines` lets in.
  transform: { target: 'node22.22' },
} as const;

/** The terms of all that is in what is built go with it. */
function licences(): Plugin {
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      const ids = Object.values(bundle).flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
      const folders = new Set(ids.flatMap((id) => /.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []));
      const texts = [...folders].sort().map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
        const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
        return [`${name} ${version} (${license})`, ...files.map((file) => readFileSync(`${folder}/${file}`, 'utf8'))];
      });
      const source = texts.map((parts) => parts.join('\n\n')).join(`\n${'-'.repeat(80)}\n`);
      this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source });
    },
  };
}

/**
 * What is shipped: the program with all that it needs, in a few files. From the source, to find, read and strip more than a thousand
 * takes two thirds of the time of a start. What receivers use is one file that needs no other.
 */
export default defineConfig([
  {
    ...built,
    input: { cli: 'src/cli.ts', main: 'src/main.ts' },
    plugins: [licences()],
    output: {
      dir: 'dist',
      format: 'esm',
      cleanDir: true,
      // Names stand in what the log says of faults.
      keepNames: true,
      // V8 keeps the text of all of it, and at two bytes a character where one of a file is not of Latin-1.
      comments: false,
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
    },
  },
  {
    ...built,
    input: { signature: 'src/providers/diligent/signature.ts' },
    output: { dir: 'dist/providers/diligent', format: 'esm' },
  },
]);
