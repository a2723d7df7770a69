import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { describeVariables, variablesOf } from '../../src/config.ts';
import { providers } from '../../src/providers/index.ts';
import { faultsOf, readManifests } from './support/kubernetes.ts';
import { attempt, root, run, scratchFolder } from './support/run.ts';

const read = (name: string) => readFileSync(join(root, 'deploy', name), 'utf8');
const kubernetes = read('kubernetes.yaml');
const compose = parse(read('compose.yaml'));
const manifests = readManifests(kubernetes);
const pod = manifests.find(({ kind }) => kind === 'Deployment')?.spec.template.spec;
const [container] = pod.containers;

/** Every variable that there is, secrets also by their files. */
const variables = new Set([
  ...describeVariables(providers).keys(),
  ...providers.map((provider) => `${variablesOf(provider).key}_FILE`),
]);
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
  const [volume] = container.volumeMounts;
  const set: [string, string][] = [
    ...container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
    ...Object.entries(compose.services.hookgraph.environment),
  ];
  expect(set.map(([name]) => name).filter((name) => !variables.has(name))).toEqual([]);
  const files = set.filter(([name]) => name.endsWith('_FILE')).map(([, path]) => path);
  const mounted = compose.services.hookgraph.secrets.map((name: string) => `/run/secrets/${name}`);
  expect(files.filter((path) => !path.startsWith(`${volume.mountPath}/`) && !mounted.includes(path))).toEqual([]);
  expect(files).toHaveLength(4);
  expect(Object.keys(compose.secrets)).toEqual(compose.services.hookgraph.secrets);
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
