import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, getCACertificates, setDefaultCACertificates, type TlsOptions } from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createCertificate, hasOpenssl } from './support/certificates.ts';
import {
  askInEveryPlace,
  everyPlace,
  onRequest,
  openGraphAt,
  rawAnswer,
  reportQuery,
  startRaw,
  timeInEveryPlace,
  wholeBody,
} from './support/faults.ts';
import { slackMs } from './support/slack.ts';
import { startUpstream, text } from './support/upstream.ts';

test('calls a source unreachable that speaks no TLS where it should, and sends it no key', async () => {
  await using server = await startRaw((socket) =>
    socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  );
  const url = server.url.replace('http:', 'https:');
  expect(await askInEveryPlace(url)).toEqual(everyPlace('UNREACHABLE'));
  expect(server.sockets).toHaveLength(4 * 3);
  expect(server.received()).not.toContain('test-key');
});

test('waits no longer for a silent TLS handshake than one try may take, and sends no key', async () => {
  await using server = await startRaw(() => {});
  const url = server.url.replace('http:', 'https:');
  const { answers, slowestMs } = await timeInEveryPlace(url, { attemptTimeoutMs: 200, deadlineMs: 20_000 });
  expect(answers).toEqual(everyPlace('TIMEOUT'));
  expect(slowestMs).toBeLessThan(200 + slackMs);
  expect(server.received()).not.toContain('test-key');
});

describe.skipIf(!hasOpenssl)('with a certificate that openssl makes', () => {
  const usualAuthorities = getCACertificates();

  afterEach(() => {
    setDefaultCACertificates(usualAuthorities);
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  /** A certificate that this process trusts if told to. */
  function certify(trust: 'trusted' | 'unknown', goodFor?: string): TlsOptions {
    const certificate = createCertificate(goodFor);
    if (trust === 'trusted') setDefaultCACertificates([certificate.cert]);
    return certificate;
  }

  /** Answers over TLS whoever comes, and counts who tried. */
  async function startTls(options: TlsOptions) {
    const listener = createServer(options);
    let tries = 0;
    listener.on('connection', () => tries++);
    const server = await startRaw(
      onRequest((socket) => socket.write(rawAnswer(wholeBody))),
      listener,
    );
    return { ...server, tries: () => tries };
  }

  test('sends the key to a host whose certificate is good', async () => {
    await using server = await startTls(certify('trusted'));
    await using graph = await openGraphAt({ diligent: server.url });
    expect((await graph.query(reportQuery)).webhooks).toMatchObject({ totalCount: 2, complete: true });
    expect(server.received()).toContain('x-api-key: test-key');
  });

  test.each<[string, () => TlsOptions]>([
    ['is vouched for by nobody', () => certify('unknown')],
    ['is for another host', () => certify('trusted', 'DNS:elsewhere.test')],
    ['is for another address', () => certify('trusted', 'IP:127.0.0.2')],
  ])('sends no byte of a request to a host whose certificate %s', async (_name, options) => {
    await using server = await startTls(options());
    expect(await askInEveryPlace(server.url)).toEqual(everyPlace('UNREACHABLE'));
    expect(server.tries()).toBe(4 * 3);
    expect(server.received()).toBe('');
  });

  test('sends no byte of a request over TLS 1.1', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await using server = await startTls({ ...certify('trusted'), ...old });
    expect(await askInEveryPlace(server.url)).toEqual(everyPlace('UNREACHABLE'));
    expect(server.tries()).toBe(4 * 3);
    expect(server.received()).toBe('');
  });

  test('checks certificates even where the environment of Node says not to', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    vi.spyOn(process, 'emitWarning').mockReturnValue();
    await using server = await startTls(certify('unknown'));
    expect(await askInEveryPlace(server.url)).toEqual(everyPlace('UNREACHABLE'));
    expect(server.tries()).toBe(4 * 3);
    expect(server.received()).toBe('');
  });

  test('sends nothing over a connection that stands only after the time is up', async () => {
    await using server = await startTls(certify('trusted'));
    const port = Number(new URL(server.url).port);
    // Between the two stands a relay that holds everything back until the operation has failed.
    await using relay = await startRaw(async (socket) => {
      socket.pause();
      await sleep(400);
      socket.pipe(connect(port, '127.0.0.1').on('error', () => {})).pipe(socket);
    });
    const url = relay.url.replace('http:', 'https:');
    await using graph = await openGraphAt({ diligent: url }, { attemptTimeoutMs: 2000, deadlineMs: 200 });
    expect((await graph.query(reportQuery)).webhooks.sources[0].error.code).toBe('TIMEOUT');
    // The handshake succeeds now, and the connection is given up again.
    await expect.poll(() => server.tries()).toBe(1);
    await expect.poll(() => relay.sockets[0]?.closed).toBe(true);
    expect(server.received()).toBe('');
  });
});

test('does not let itself be led from TLS to a port without', async () => {
  await using plain = await startUpstream(text('canary'));
  await using server = await startRaw(
    onRequest((socket) => socket.end(`HTTP/1.1 301 M\r\nlocation: ${plain.url}\r\n\r\n`)),
  );
  expect(await askInEveryPlace(server.url)).toEqual(everyPlace('BAD_RESPONSE', { httpStatus: 301 }));
  expect(plain.calls).toEqual([]);
});
