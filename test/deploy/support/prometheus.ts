import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Running, start } from './run.ts';

/** A Prometheus that scrapes one program. */
export interface Prometheus extends AsyncDisposable {
  /** What an expression is now: one value for each series. */
  query(expression: string): Promise<readonly number[]>;
  /** The state of every alert rule, or what is wrong with it. */
  alerts(): Promise<Readonly<Record<string, string>>>;
}

/** Scrapes `target` (host and port) every half second, with these rules. Its files are kept in `folder`. */
export async function startPrometheus(folder: string, target: string, rules: string): Promise<Prometheus> {
  mkdirSync(folder);
  const config = join(folder, 'prometheus.yaml');
  const every = { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' };
  const scrape_configs = [{ job_name: 'hookgraph', static_configs: [{ targets: [target] }] }];
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ global: every, rule_files: [rules], scrape_configs }));
  const port = await freePort();
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`];
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  const running: Running = await start('prometheus', [...args, listen], /Server is ready to receive web requests/);

  // biome-ignore lint/suspicious/noExplicitAny: an answer has the shape of what was asked
  async function get(path: string): Promise<any> {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, data, error } = (await answer.json()) as { status: string; data: unknown; error?: string };
    if (status !== 'success') throw new Error(`Prometheus: ${error}`);
    return data;
  }
  return {
    async query(expression) {
      const { result } = await get(`query?query=${encodeURIComponent(expression)}`);
      return result.map(({ value }: { value: [number, string] }) => Number(value[1]));
    },
    async alerts() {
      const { groups } = await get('rules');
      const all = groups.flatMap((group: { rules: unknown[] }) => group.rules);
      return Object.fromEntries(
        all.map((rule: Record<string, string>) => [rule.name, rule.health === 'err' ? rule.lastError : rule.state]),
      );
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
