import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ask, startProgram } from '../support/program.ts';
import { readmeBlocks } from '../support/readme.ts';
import { type Consumer, createConsumer } from './support/consumer.ts';

const address = 'http://127.0.0.1:4000/graphql';
const counts = '{ failing: webhooks(filter: { health: [FAILING] }) { totalCount } all: webhooks { totalCount } }';

test.each([
  ['Apollo Client', 'true <failing>\ntrue <all>\n'],
  ['urql', 'true 10\n'],
  ['fetch', '200 undefined true 5\n'],
])('what it shows for %s is correct TypeScript and works as it stands', async (heading, output) => {
  await using program = await startProgram();
  using consumer = createConsumer();
  const code = readmeBlocks('ts', heading).join('\n');
  expect(code).toContain(address);
  writeFileSync(join(consumer.folder, 'main.ts'), code.replace(address, program.url));
  expect(await checkTypes(consumer)).toBe('');
  const { data } = await ask(program.url, counts);
  const expected = output.replace(/<(\w+)>/g, (_mark, name) => data[name].totalCount);
  expect(await consumer.run('main.ts')).toBe(expected);
});

test('the types of its queries are those of the schema', async () => {
  using consumer = createConsumer();
  const code = readmeBlocks('ts', 'urql').join('\n').replace('webhooks?.complete', 'webhooks?.completed');
  writeFileSync(join(consumer.folder, 'main.ts'), code);
  await expect(checkTypes(consumer)).rejects.toThrow("Property 'completed' does not exist");
});

test('what it shows for Relay is what relay.clients.ts compiles and runs', () => {
  const shown = [...readmeBlocks('json', 'Relay'), ...readmeBlocks('ts', 'Relay')];
  const files = ['relay/relay.config.json', 'relay/src/webhooks.ts'];
  expect(shown).toEqual(files.map((path) => readFileSync(new URL(path, import.meta.url), 'utf8')));
});

/** What the compiler has to say of `main.ts`. */
function checkTypes(consumer: Consumer): Promise<string> {
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
  const options = '--noEmit --strict --skipLibCheck --target es2024 --module nodenext --lib es2024,dom'.split(' ');
  return consumer.run(tsc, 'main.ts', ...options);
}
