import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { describeVariables } from '../../src/config.ts';
import { variablesOf } from '../../src/config-sources.ts';
import { providers } from '../../src/providers/index.ts';
import { digestOf } from '../../src/tokens.ts';
import { ask, startProgram } from '../support/program.ts';
import { faultsOf, readManifests } from './support/kubernetes.ts';
import { attempt, root, run, scratchFolder } from './support/run.ts';

const read = (name: string) => readFileSync(join(root, 'deploy', name), 'utf8');
const kubernetes = read('kubernetes.yaml');
const compose = parse(read('compose.yaml'));
const manifests = readManifests(kubernetes);
const pod = manifests.find(({ kind }) => kind === 'Deployment')?.spec.template.spec;
const [container] = pod.containers;
const [volume] = container.volumeMounts;

/** What each of the two sets, as the program gets it. */
const environments: readonly [string, Readonly<Record<string, string>>][] = [
  [
    'Kubernetes',
    Object.fromEntries(container.env.map(({ name, value }: { name: string; value: string }) => [name, value])),
  ],
  [
    'compose',
    Object.fromEntries(
      Object.entries(compose.services.hookgraph.environment).map(([name, value]) => [name, String(value)]),
    ),
  ],
];
/** Secrets, by the variables of their files. */
const secrets = ['GATEWAY_TOKENS', ...providers.map((provider) => variablesOf(provider).key)].map(
  (name) => `${name}_FILE`,
);

/** Every variable that there is, secrets also by their files. */
const variables = new Set([...describeVariables(providers).keys(), ...secrets]);
const drainMs = Number(describeVariables(providers).get('DRAIN_MS'));

test('the objects for Kubernetes are as its schema wants them', async () => {
  expect(manifests.map(({ kind }) => kind)).toEqual(['Deployment', 'Service', 'PodDisruptionBudget', 'NetworkPolicy']);
  expect(await faultsOf(manifests)).toEqual([]);
});

test.each([
  ['a misspelt field', 'readOnlyRootFilesystem', 'readOnlyRootFileSystem'],
  ['a word for a number', 'replicas: 2', 'replicas: two'],
  ['a probe without a port', 'httpGet: { path: /ready, port: http }', 'httpGet: { path: /ready }'],
])('its schema finds %s', async (_name, right, wrong) => {
  expect(kubernetes).toContain(right);
  expect(await faultsOf(readManifests(kubernetes.replace(right, wrong)))).not.toEqual([]);
});

test('the compose file is as its schema wants it, and that finds a misspelt field', async () => {
  const config = (file: string) => attempt('docker-compose', ['--file', file, 'config', '--quiet']);
  expect(await config(join(root, 'deploy/compose.yaml'))).toEqual({ code: 0, output: '' });
  const scratch = scratchFolder();
  const wrong = join(scratch.path, 'compose.yaml');
  writeFileSync(wrong, read('compose.yaml').replace('read_only', 'readonly'));
  expect(await config(wrong)).toMatchObject({ code: 1, output: expect.stringContaining("'readonly'") });
  scratch.close();
});

test('what is set is a variable of the program, and each file of a secret is mounted', () => {
  for (const [, set] of environments) {
    expect(Object.keys(set).filter((name) => !variables.has(name))).toEqual([]);
    expect(
      Object.keys(set)
        .filter((name) => name.endsWith('_FILE'))
        .toSorted(),
    ).toEqual(secrets.toSorted());
  }
  const [inPod = [], inContainer = []] = environments.map(([, set]) => secrets.map((name) => set[name] ?? ''));
  expect(inPod.filter((path) => !path.startsWith(`${volume.mountPath}/`))).toEqual([]);
  const named = compose.services.hookgraph.secrets;
  expect(inContainer.toSorted()).toEqual(named.map((name: string) => `/run/secrets/${name}`).toSorted());
  expect(Object.keys(compose.secrets)).toEqual(named);
  // Those who make the secret on Kubernetes are told of each of its files.
  const told = [...kubernetes.matchAll(/--from-file=(\S+)/g)].map(([, name]) => `${volume.mountPath}/${name}`);
  expect(told.toSorted()).toEqual(inPod.toSorted());
});

test('git takes none of the secrets beside the compose file', async () => {
  const files = Object.values<{ file: string }>(compose.secrets).map(({ file }) => join('deploy', file));
  expect((await run('git', ['check-ignore', ...files])).trim().split('\n')).toEqual(files);
  expect(await attempt('git', ['check-ignore', 'deploy/compose.yaml'])).toEqual({ code: 1, output: '' });
});

test.each(environments)(
  'what %s sets starts a program that asks for tokens, but not for metrics',
  async (_name, set) => {
    const scratch = scratchFolder();
    const held = (name: string) =>
      name === 'GATEWAY_TOKENS_FILE' ? `app webhooks:read ${digestOf('known')}\n` : 'key\n';
    const files = secrets.map((name) => [name, join(scratch.path, name)] as const);
    for (const [name, path] of files) writeFileSync(path, held(name));
    // The ports that are set may be taken here.
    const env = { ...set, ...Object.fromEntries(files), NODE_ENV: 'production', METRICS_PORT: '0' };
    await using program = await startProgram(env);
    expect(await ask(program.url, '{ __typename }', { authorization: 'Bearer known' })).toEqual({
      data: { __typename: 'Query' },
    });
    const refused = await ask(program.url, '{ __typename }');
    expect(refused).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    const scraped = await fetch(program.lines().find((line) => line.metrics)?.metrics);
    expect([scraped.status, await scraped.text()]).toEqual([200, expect.stringContaining('hookgraph_build_info')]);
    expect((await fetch(new URL('/metrics', program.url))).status).toBe(404);
    scratch.close();
  },
);

test('metrics are where Prometheus is told, for the namespace that scrapes, and for no client', () => {
  const [deployment, service, , policy] = manifests.map(({ spec }) => spec);
  const ports = new Map(
    container.ports.map((it: { name: string; containerPort: number }) => [it.name, it.containerPort]),
  );
  for (const [, set] of environments) expect(set.METRICS_PORT).toBe(String(ports.get('metrics')));
  expect(deployment.template.metadata.annotations).toEqual({
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': String(ports.get('metrics')),
    'prometheus.io/path': '/metrics',
  });
  expect(service.ports.map(({ targetPort }: { targetPort: string }) => targetPort)).toEqual(['http']);
  const reached = policy.ingress.map(({ from, ports }: { from: object[]; ports: { port: string }[] }) => [
    from.flatMap(Object.keys),
    ports.map(({ port }) => port),
  ]);
  expect(reached).toEqual([
    [['podSelector'], ['http']],
    [['namespaceSelector'], ['metrics']],
  ]);
  const published = [4000, ports.get('metrics')].map((port) => `127.0.0.1:${port}:${port}`);
  expect(compose.services.hookgraph.ports).toEqual(published);
});

test('who stops the program waits for longer than it takes', () => {
  // Half a second until connections are refused.
  const stopSeconds = (500 + drainMs) / 1000;
  const { preStop } = container.lifecycle;
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(preStop.sleep.seconds + stopSeconds);
  expect(Number.parseInt(compose.services.hookgraph.stop_grace_period, 10)).toBeGreaterThan(stopSeconds);
});

test('the selectors find the pods, and the probes what there is', async () => {
  const labels = manifests[0]?.spec.template.metadata.labels;
  const [deployment, service, budget, policy] = manifests.map(({ spec }) => spec);
  for (const selector of [
    deployment.selector.matchLabels,
    service.selector,
    budget.selector.matchLabels,
    policy.podSelector.matchLabels,
  ]) {
    expect(selector).toEqual(labels);
  }
  const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) => container[name].httpGet);
  expect(probes).toEqual(['/health', '/health', '/ready'].map((path) => ({ path, port: 'http' })));
  expect(container.image).toBe(`hookgraph:${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}`);
  expect(await run('grep', ['-c', 'EXPOSE 4000', 'Dockerfile'])).toBe('1\n');
  expect(container.ports[0].containerPort).toBe(4000);
});
