import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkAgreement, checkAnswers } from '../bench/check.ts';
import { type QueryName, queries } from '../bench/query.ts';
import { type Rig, startRig } from '../bench/rig/processes.ts';
import { apimallList, diligentList } from '../bench/rig/rows.ts';
import { type UpstreamShape, upstreamVariables } from '../bench/rig/upstreams.ts';
import { type Program, startProgram } from './support/program.ts';
import { startUpstream, text } from './support/upstream.ts';

function readJson(path: string) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
}

test('measures hookgraph beside others with the same versions of what they share', () => {
  const { dependencies: own } = readJson('../package.json');
  const { dependencies: theirs } = readJson('../bench/package.json');
  const shared = Object.keys(theirs).filter((name) => name in own);
  expect(shared).toContain('undici');
  expect(shared.map((name) => [name, theirs[name]])).toEqual(shared.map((name) => [name, own[name]]));
});

test('the upstreams that it is measured over list rows with the documented fields', () => {
  const [apimall] = JSON.parse(apimallList(5).bytes.toString()).data;
  expect(Object.keys(apimall)).toEqual(Object.keys(readJson('fixtures/apimall-list.json').data[0]));
  const [diligent] = JSON.parse(diligentList(5).bytes.toString());
  expect(Object.keys(diligent)).toEqual(Object.keys(readJson('fixtures/diligent-list.json')[0]));
});

const shape: UpstreamShape = { rows: 'changing', count: 20, delayMs: 0 };
let rig: Rig;
let program: Program;

beforeAll(async () => {
  rig = await startRig();
  program = await startProgram(upstreamVariables(rig.stubPort, shape));
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

/** Checks the program's answers after `damage` was done to each; the second argument of `damage` is the first answer. */
async function check(
  query: QueryName,
  damage: (answer: string, first: string) => string,
  said: Partial<UpstreamShape> = {},
) {
  let first: string | undefined;
  await using contestant = await startUpstream(async (_request, response) => {
    const answer = await fetch(program.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: queries[query] }),
    }).then((it) => it.text());
    first ??= answer;
    text(damage(answer, first))(_request, response);
  });
  const port = Number(new URL(contestant.url).port);
  return await checkAnswers({ name: 'it', port }, query, { ...shape, ...said });
}

const asIs = (answer: string) => answer;

function withoutFirstRow(answer: string): string {
  const { data } = JSON.parse(answer);
  return JSON.stringify({ data: { webhooks: { ...data.webhooks, nodes: data.webhooks.nodes.slice(1) } } });
}

test.each(['list', 'report'] as const)('times nobody before the answers to the query %s are right', async (query) => {
  const { rows, bytes } = await check(query, asIs);
  expect(Object.keys(rows)).toHaveLength(40);
  expect(bytes).toBeGreaterThan(5000);
});

test.each<[string, QueryName, (answer: string, first: string) => string, string]>([
  ['an answer of before', 'list', (_answer, first) => first, 'rows moved upstream'],
  ['a lost row', 'list', withoutFirstRow, '39 rows'],
  [
    'a row twice',
    'list',
    (answer) => answer.replaceAll(/"id":"(?=QXBp)[^"]*"/g, '"id":"QXBpTWFsbFdlYmhvb2s6YTox"'),
    '21 ids',
  ],
  ['a field that was not asked for', 'list', (answer) => answer.replace('"health":', '"other":'), 'the fields are'],
  ['an error beside the rows', 'list', (answer) => `{"errors":[{"message":"no"}],${answer.slice(1)}`, '"message":"no"'],
  ['a source that failed', 'report', (answer) => answer.replace('"OK"', '"FAILED"'), 'FAILED'],
])('lets nobody pass with %s', async (_what, query, damage, complaint) => {
  await expect(check(query, damage)).rejects.toThrow(complaint);
});

test("lets nobody pass whose rows move while the upstreams' do not", async () => {
  await expect(check('list', asIs, { rows: 'unchanged' })).rejects.toThrow('moved that did not upstream');
});

test('lets nobody pass who says otherwise than the others', async () => {
  const { rows } = await check('list', asIs);
  const [id = ''] = Object.keys(rows);
  expect(() => checkAgreement('it', rows, rows)).not.toThrow();
  const row = rows[id];
  if (!row) throw new Error('there are no rows');
  expect(() => checkAgreement('it', { ...rows, [id]: { ...row, health: 'IDLE' } }, rows)).toThrow('where another says');
});
