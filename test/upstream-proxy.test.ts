import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { createKeySet } from '../src/auth/key-set.ts';
import { createUpstream, type UpstreamLimits } from '../src/upstream/http.ts';
import { createCertificate, hasOpenssl } from './support/certificates.ts';
import { onRequest, openGraphAt, rawAnswer, reportQuery, startRaw, wholeBody, wholeLists } from './support/faults.ts';
import { ask, startProgram } from './support/program.ts';
import { type AnswerConnect, startProxy, type TestProxy } from './support/proxy.ts';
import { slackMs } from './support/slack.ts';
import { startUpstream } from './support/upstream.ts';

const usual = { deadlineMs: 3000, attemptTimeoutMs: 2000, maxBytes: 5_242_880, shareInFlight: true };
const refuse =
  (status: string): AnswerConnect =>
  (socket) =>
    socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`);

/** An upstream with TLS at a name that only the proxy in front of it can find. */
async function startBehindProxy(answer?: AnswerConnect, goodFor = 'DNS:provider.test', body = wholeBody) {
  const certificate = createCertificate(goodFor);
  setDefaultCACertificates([certificate.cert]);
  const greet = onRequest((socket) => socket.write(rawAnswer(body)));
  const server = await startRaw(greet, createServer(certificate));
  const port = Number(new URL(server.url).port);
  const proxy = await startProxy(port, answer);
  return {
    server,
    proxy,
    host: `provider.test:${port}`,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}

/** A graph whose Diligent is called through this proxy. */
function openBehind(host: string, { url }: Pick<TestProxy, 'url'>, limits: Partial<UpstreamLimits> = {}) {
  const diligent = createUpstream(`https://${host}`, { ...usual, proxy: { url, except: '' }, ...limits });
  return openGraphAt({ diligent });
}

async function codeOf(graph: Awaited<ReturnType<typeof openGraphAt>>): Promise<string> {
  const { webhooks } = await graph.query(reportQuery);
  return webhooks.sources[0].error?.code ?? webhooks.sources[0].state;
}

describe.skipIf(!hasOpenssl)('through a proxy', () => {
  const usualAuthorities = getCACertificates();
  afterEach(() => setDefaultCACertificates(usualAuthorities));

  test('reaches a provider, and shows the proxy its name alone', async () => {
    await using behind = await startBehindProxy();
    await using graph = await openBehind(behind.host, behind.proxy);
    expect(await codeOf(graph)).toBe('OK');
    // A connection is free again a moment after its answer.
    await sleep(20);
    expect(await codeOf(graph)).toBe('OK');
    expect(behind.proxy.asked).toEqual([{ what: `CONNECT ${behind.host}`, authorization: undefined }]);
    expect(behind.server.received()).toContain('x-api-key: test-key');
    expect(behind.proxy.received()).not.toMatch(/test-key|webhooks|x-api-key/);
  });

  test('tells the proxy its own password, and the provider nothing of it', async () => {
    await using behind = await startBehindProxy();
    const url = behind.proxy.url.replace('//', '//user:p%40ss@');
    await using graph = await openBehind(behind.host, { url });
    expect(await codeOf(graph)).toBe('OK');
    expect(behind.proxy.asked[0]?.authorization).toBe(`Basic ${btoa('user:p@ss')}`);
    expect(behind.server.received().toLowerCase()).not.toContain('proxy');
  });

  test('asks the provider for its certificate, whoever sits between', async () => {
    await using behind = await startBehindProxy(undefined, 'DNS:proxy.test');
    await using graph = await openBehind(behind.host, behind.proxy);
    expect(await codeOf(graph)).toBe('UNREACHABLE');
    expect(behind.proxy.asked).toHaveLength(3);
    expect(behind.server.received()).toBe('');
    expect(behind.proxy.received()).not.toContain('test-key');
  });

  test('reads the keys of an issuer of JWTs', async () => {
    // RFC 8037, A.2.
    const key = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kid: 'a' };
    await using behind = await startBehindProxy(undefined, undefined, JSON.stringify({ keys: [key] }));
    const keys = createKeySet(`https://${behind.host}/keys`, () => {}, { url: behind.proxy.url, except: '' });
    await expect.poll(() => keys.readings()).toBe(1);
    expect(behind.proxy.asked).toEqual([{ what: `CONNECT ${behind.host}`, authorization: undefined }]);
    await keys.close();
  });

  test('goes past it to hosts of NO_PROXY', async () => {
    await using behind = await startBehindProxy();
    const except = { url: behind.proxy.url, except: 'other.test, .test' };
    await using graph = await openBehind(behind.host, behind.proxy, { proxy: except });
    // Nobody but the proxy knows that name.
    expect(await codeOf(graph)).toBe('UNREACHABLE');
    expect(behind.proxy.sockets).toEqual([]);
  });

  test('leaves a connection that is too old', async () => {
    await using behind = await startBehindProxy();
    await using graph = await openBehind(behind.host, behind.proxy, { connectionAgeMs: 1 });
    for (let call = 0; call < 3; call++) {
      expect(await codeOf(graph)).toBe('OK');
      await sleep(20);
    }
    expect(behind.proxy.asked).toHaveLength(3);
  });

  test('ends the call, and the connection, of a caller that leaves', async () => {
    const certificate = createCertificate('DNS:provider.test');
    setDefaultCACertificates([certificate.cert]);
    await using silent = await startRaw(() => {}, createServer(certificate));
    const { port } = new URL(silent.url);
    await using proxy = await startProxy(Number(port));
    const upstream = createUpstream(`https://provider.test:${port}`, {
      ...usual,
      proxy: { url: proxy.url, except: '' },
    });
    const reading = { read: () => null, problem: () => ({}), findVolatile: () => null };
    const caller = new AbortController();
    const run = upstream.run('list', {}, caller.signal, (http) => http.getJson('/', reading));
    await expect.poll(() => silent.received()).toContain('GET / ');
    caller.abort();
    await expect(run).rejects.toBe(caller.signal.reason);
    await expect.poll(() => silent.sockets[0]?.closed).toBe(true);
    await upstream.close();
  });
});

test.each([
  ['that wants a password', refuse('407 Proxy Authentication Required')],
  ['that cannot reach the provider', refuse('502 Bad Gateway')],
  ['that breaks off', (socket) => socket.destroy()],
] satisfies [string, AnswerConnect][])('calls a provider unreachable behind a proxy %s', async (_name, answer) => {
  await using proxy = await startProxy(1, answer);
  await using graph = await openBehind('provider.test', proxy);
  expect(await codeOf(graph)).toBe('UNREACHABLE');
  expect(proxy.asked.map(({ what }) => what)).toEqual(Array(3).fill('CONNECT provider.test:443'));
  expect(proxy.received()).not.toContain('test-key');
});

test('calls a provider unreachable where there is no proxy', async () => {
  const proxy = await startProxy(1);
  await proxy[Symbol.asyncDispose]();
  await using graph = await openBehind('provider.test', proxy);
  expect(await codeOf(graph)).toBe('UNREACHABLE');
});

test.concurrent.each<[string, AnswerConnect]>([
  ['that says nothing', () => {}],
  ['behind which nobody speaks', (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n')],
])('waits for a proxy %s no longer than for a provider, and leaves it', async (_name, answer) => {
  await using proxy = await startProxy(1, answer);
  await using graph = await openBehind('provider.test', proxy, { attemptTimeoutMs: 200 });
  const started = performance.now();
  expect(await codeOf(graph)).toBe('TIMEOUT');
  expect(performance.now() - started).toBeLessThan(200 + slackMs);
  await expect.poll(() => proxy.sockets.map(({ closed }) => closed)).toEqual([true]);
});

test('asks what is on this machine directly', async () => {
  await using proxy = await startProxy(1);
  await using upstream = await startUpstream(wholeLists);
  const limits = { ...usual, proxy: { url: proxy.url, except: '' } };
  await using graph = await openGraphAt({ diligent: createUpstream(upstream.url, limits) });
  expect(await codeOf(graph)).toBe('OK');
  expect(proxy.sockets).toEqual([]);
});

test('goes through HTTPS_PROXY as a program, and never shows its password', async () => {
  await using proxy = await startProxy(1, refuse('407 Proxy Authentication Required'));
  await using program = await startProgram({
    DILIGENT_API_KEY: 'canary-key',
    DILIGENT_API_URL: 'https://provider.test',
    HTTPS_PROXY: proxy.url.replace('//', '//user:canary@'),
  });
  const answer = await ask(program.url, reportQuery);
  expect(answer.data.webhooks.sources[0].error.code).toBe('UNREACHABLE');
  expect(proxy.asked[0]).toEqual({ what: 'CONNECT provider.test:443', authorization: `Basic ${btoa('user:canary')}` });
  expect(JSON.stringify(answer) + program.output()).not.toContain('canary');
});
