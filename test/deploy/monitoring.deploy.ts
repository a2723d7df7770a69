import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { digestOf } from '../../src/tokens.ts';
import { ask, type Program, startProgram } from '../support/program.ts';
import { json, startUpstream, type TestUpstream, text } from '../support/upstream.ts';
import { alertCases, alertTests } from './support/alerts.ts';
import { type Prometheus, startPrometheus } from './support/prometheus.ts';
import { attempt, root, run, scratchFolder } from './support/run.ts';

const scratch = scratchFolder();
const rulesFile = join(root, 'deploy/alerts.yaml');
const rules: readonly { alert: string; expr: string }[] = parse(readFileSync(rulesFile, 'utf8')).groups[0].rules;
const dashboard = JSON.parse(readFileSync(join(root, 'deploy/grafana-dashboard.json'), 'utf8'));
const expressions: readonly [string, string][] = dashboard.panels.flatMap(
  ({ title, targets }: { title: string; targets: { expr: string }[] }) => targets.map(({ expr }) => [title, expr]),
);

afterAll(() => scratch.close());

test('every alert has a case, fires where it should, and rests where it should', async () => {
  expect(rules.map(({ alert }) => alert).sort()).toEqual(Object.keys(alertCases).sort());
  const file = join(scratch.path, 'tests.yaml');
  writeFileSync(file, JSON.stringify(alertTests(rulesFile)));
  expect(await run('promtool', ['test', 'rules', file])).toContain('SUCCESS');
});

test('a case fails where its alert has another threshold', async () => {
  const changed = join(scratch.path, 'changed.yaml');
  writeFileSync(changed, readFileSync(rulesFile, 'utf8').replace('> 0.25', '> 0.35'));
  const file = join(scratch.path, 'changed-tests.yaml');
  writeFileSync(file, JSON.stringify(alertTests(changed)));
  const { code, output } = await attempt('promtool', ['test', 'rules', file]);
  expect([code, [...new Set(output.match(/Hookgraph\w+/g))]]).toEqual([1, ['HookgraphLate']]);
});

describe('with a program that is scraped', () => {
  let whole: TestUpstream;
  let refusing: TestUpstream;
  let program: Program;
  /** Where the program shows its metrics: a port of their own. */
  let metrics: URL;
  let prometheus: Prometheus;
  let isOver = false;
  let traffic: Promise<void>;

  beforeAll(async () => {
    const list = readFileSync(join(root, 'test/fixtures/diligent-list.json'));
    whole = await startUpstream(text(list, 200, { 'content-type': 'application/json' }));
    refusing = await startUpstream(json({ success: false }, 401));
    program = await startProgram({
      APIMALL_API_KEY: 'k',
      APIMALL_API_URL: refusing.url,
      DILIGENT_API_KEY: 'k',
      DILIGENT_API_URL: whole.url,
      GATEWAY_TOKENS: `known webhooks:read webhooks:write ${digestOf('known')}`,
      // An issuer that keeps its keys to itself.
      JWT_JWKS_URL: `${refusing.url}/keys`,
      JWT_ISSUER: 'issuer',
      JWT_AUDIENCE: 'hookgraph',
      METRICS_PORT: '0',
    });
    metrics = new URL(program.lines().find((line) => line.metrics)?.metrics);
    traffic = (async () => {
      while (!isOver) {
        for (const token of ['known', 'guessed'])
          await ask(program.url, '{ webhooks { totalCount complete } }', { authorization: `Bearer ${token}` });
        // Counted, though it is refused: writes are off.
        const change = 'mutation { createDiligentWebhook(input: { url: "" }) { userErrors { code } } }';
        await ask(program.url, change, { authorization: 'Bearer known' });
        await (await fetch(new URL('/ready', program.url))).text();
        await sleep(50);
      }
    })();
    prometheus = await startPrometheus(join(scratch.path, 'prometheus'), metrics.host, rulesFile);
  });

  afterAll(async () => {
    isOver = true;
    await traffic;
    await prometheus[Symbol.asyncDispose]();
    await program[Symbol.asyncDispose]();
    await Promise.all([whole.stop(), refusing.stop()]);
  });

  test('every expression of the dashboard finds something', async () => {
    const missing = async () => {
      const found = await Promise.all(
        expressions.map(async ([title, expression]) => {
          const values = await prometheus.query(expression.replaceAll('$__rate_interval', '10s'));
          return values.some((value) => !Number.isNaN(value)) ? [] : [`${title}: ${expression}`];
        }),
      );
      return found.flat();
    };
    await expect.poll(missing, { timeout: 30_000, interval: 1000 }).toEqual([]);
    // An expression with a misspelt name finds nothing.
    expect(await prometheus.query('sum(rate(hookgraph_source_read_total[10s]))')).toEqual([]);
  });

  test('the dashboard says of each panel where its numbers come from', () => {
    const sources = dashboard.panels.flatMap(
      ({ datasource, targets }: { datasource: object; targets: { datasource: object }[] }) => [
        datasource,
        ...targets.map((target) => target.datasource),
      ],
    );
    for (const source of sources) expect(source).toEqual({ type: 'prometheus', uid: `$\{datasource}` });
    const ids = dashboard.panels.map(({ id }: { id: number }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('every metric that an alert is about is there', async () => {
    const names = [
      ...new Set(rules.flatMap(({ expr }) => expr.match(/\b(up|hookgraph_\w+|nodejs_\w+|process_\w+)\b/g) ?? [])),
    ];
    const counted = await Promise.all(
      names.map(async (name) => [name, (await prometheus.query(`count(${name})`)).length]),
    );
    expect(counted.filter(([, count]) => count === 0)).toEqual([]);
  });

  test('the alerts about a refused key, refused callers and an issuer without keys are on, and no others', async () => {
    const on = async () =>
      Object.entries(await prometheus.alerts())
        .filter(([, state]) => state !== 'inactive')
        .map(([name]) => name)
        .sort();
    await expect
      .poll(on, { timeout: 30_000, interval: 500 })
      .toEqual(['HookgraphCallersRefused', 'HookgraphKeyRefused', 'HookgraphNotReady', 'HookgraphSourceFailing']);
  });

  test('what is scraped is as Prometheus wants it, and a name that it does not want is found', async () => {
    const file = join(scratch.path, 'metrics');
    const check = () => attempt('sh', ['-c', `promtool check metrics < ${file}`]);
    const shown = await (await fetch(metrics)).text();
    writeFileSync(file, shown);
    expect(await check()).toEqual({ code: 0, output: '' });
    writeFileSync(file, shown.replaceAll('hookgraph_source_joins_total', 'hookgraph_source_joins'));
    expect(await check()).toMatchObject({ output: expect.stringContaining('hookgraph_source_joins') });
  });
});
