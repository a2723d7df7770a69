import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSandbox } from '../../src/providers/diligent/sandbox.ts';
import { type CalledSandbox, callSandbox } from './calling.ts';

// By the documents alone: nothing of ours reads what the sandbox says here.

const opened = Date.parse('2026-11-01T12:00:00Z');
const apiKey = { 'x-api-key': 'sandbox-diligent' };
const crm = '/webhooks/df89eb16-4c6a-439f-b668-7cca0cd786fa';
const staging = '/webhooks/7d1c2b90-2f7e-4a43-8a6d-5d7f0a9be3c2';
const billing = '/webhooks/e3a9f7c4-11d2-4b57-b0f5-8a64c2d91f30';
const orders = '/webhooks/0b8f5d0e-6a53-4a0f-9c54-0d1a3f6f2a11';
const old = '/webhooks/94d07a3b-5e1c-4f28-b6c9-1a8e2d4f7063';
const every: Readonly<Record<string, number>> = {
  [crm]: 71_155,
  [staging]: 300_000,
  [billing]: 12_500,
  [orders]: 130_441,
};
const minutes = 60_000;

/** A sandbox with a clock that the test moves. */
async function open() {
  const clock = { now: opened };
  const api = await callSandbox(
    createSandbox(() => clock.now),
    apiKey,
  );
  return { api, clock, [Symbol.asyncDispose]: api[Symbol.asyncDispose] };
}

async function read(api: CalledSandbox, path: string) {
  return (await api.ask('GET', path)).body;
}

// biome-ignore lint/suspicious/noExplicitAny: rows of JSON
const log = (api: CalledSandbox, path: string): Promise<any[]> => read(api, `${path}/events`);

function failed({ status_code }: { status_code: number }): boolean {
  return status_code < 200 || status_code > 299;
}

test('at any time the newest row of each log is the last delivery of the list', async () => {
  await using sandbox = await open();
  const { api, clock } = sandbox;
  for (const later of [0, 1, 12_500, 71_155, 10 * minutes, 3000 * minutes]) {
    clock.now += later;
    for (const row of await read(api, '/webhooks')) {
      const [newest] = await log(api, `/webhooks/${row.id}`);
      const { last_delivery_at = null, last_delivery_status = null } = row;
      expect([newest?.timestamp ?? null, newest?.status_code ?? null]).toEqual([
        last_delivery_at,
        last_delivery_status,
      ]);
    }
  }
});

test.each([crm, staging, billing, orders])('the log of %s grows by the clock, newest first', async (path) => {
  await using sandbox = await open();
  const { api, clock } = sandbox;
  const before = await log(api, path);
  clock.now += 2 * (every[path] ?? 0);
  const rows = await log(api, path);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(50);
  const times = rows.map(({ timestamp }) => timestamp);
  expect(times).toEqual(times.toSorted().reverse());
  const added = rows.filter(({ id }) => !before.some((row) => row.id === id));
  expect(added.length).toBeGreaterThanOrEqual(2);
  expect(rows).toEqual([...added, ...before].slice(0, 50));
});

test('what was delivered does not depend on how often the log is looked at', async () => {
  await using watched = await open();
  await using left = await open();
  for (let look = 0; look < 20; look += 1) {
    await log(watched.api, crm);
    watched.clock.now += 7 * minutes;
  }
  left.clock.now = watched.clock.now;
  expect(await log(left.api, crm)).toEqual(await log(watched.api, crm));
});

test('a failing webhook has failed several times on end, after it had succeeded', async () => {
  await using sandbox = await open();
  const rows = await log(sandbox.api, staging);
  const succeeded = rows.findIndex((row) => !failed(row));
  expect(succeeded).toBe(7);
  expect(new Set(rows.slice(0, succeeded).map(({ status_code }) => status_code))).toEqual(new Set([503]));
  expect(rows.slice(succeeded).filter(failed)).toEqual([]);
  sandbox.clock.now += 25 * minutes;
  expect((await log(sandbox.api, staging)).findIndex((row) => !failed(row))).toBe(12);
});

test.each([crm, billing, orders])('%s has failed now and then, and never last', async (path) => {
  await using sandbox = await open();
  for (let look = 0; look < 12; look += 1) {
    sandbox.clock.now += every[path] ?? 0;
    const rows = await log(sandbox.api, path);
    const failures = rows.filter(failed).length;
    expect(failures).toBeGreaterThan(2);
    expect(failures).toBeLessThan(10);
    expect(rows.slice(0, 1).some(failed)).toBe(false);
  }
});

test.each([
  ['is inactive', { is_active: false }],
  ['wants no events', { events: [] }],
])('a webhook that %s gets nothing until it is changed back', async (_name, change) => {
  await using sandbox = await open();
  const { api, clock } = sandbox;
  const { is_active, events } = await read(api, crm);
  await api.ask('PATCH', crm, change);
  const before = await log(api, crm);
  clock.now += 10 * minutes;
  expect(await log(api, crm)).toEqual(before);
  await api.ask('PATCH', crm, { is_active, events });
  expect(await log(api, crm)).toEqual(before);
  clock.now += 10 * minutes;
  const [newest, ...rows] = await log(api, crm);
  expect(Date.parse(newest.timestamp)).toBeGreaterThan(clock.now - 2 * minutes);
  expect(rows).toContainEqual(before[0]);
});

test('a webhook gets the events that it names', async () => {
  await using sandbox = await open();
  const { api, clock } = sandbox;
  await api.ask('PATCH', crm, { events: ['flow_run_failed'] });
  clock.now += 2 * minutes;
  const events = (await log(api, crm)).map(({ event_type }) => event_type);
  expect(new Set(events)).toEqual(new Set(['flow_run_failed', 'cdd_state_changed', 'alert_remediated']));
  expect(events[0]).toBe('flow_run_failed');
});

test('webhooks that nothing was delivered to have an empty log', async () => {
  await using sandbox = await open();
  const rows = await read(sandbox.api, '/webhooks');
  const idle = rows.filter((row: { last_delivery_at?: unknown }) => !row.last_delivery_at);
  expect(idle).toHaveLength(4);
  for (const { id } of idle) expect(await log(sandbox.api, `/webhooks/${id}`)).toEqual([]);
});

test('rows have the oddities of the documents', async () => {
  await using sandbox = await open();
  const logs = await Promise.all([crm, staging, billing, orders, old].map((path) => log(sandbox.api, path)));
  const rows = logs.flat();
  const of = (event: string) => rows.find((row) => row.event_type === event && !failed(row));
  expect(of('cdd_state_changed')).toEqual({
    id: expect.any(String),
    event_type: 'cdd_state_changed',
    timestamp: expect.any(String),
    status_code: 200,
    request: {
      headers: expect.objectContaining({ 'X-Target-type': 'CDD', 'X-Event-Name': 'CDD_COMPLETED' }),
      payload: expect.stringContaining('"state":"COMPLETED"'),
    },
    response: { body: 'OK' },
  });
  expect(of('monitoring_alert_fired')).toMatchObject({
    webhook_id: billing.replace('/webhooks/', ''),
    request: { payload: { failed_checks: [{ status: 'FAILED' }], acknowledged_at: null } },
    response: { headers: {}, body: {} },
  });
  expect(of('search_completed')).toMatchObject({ webhook_id: expect.any(String), request: { payload: { hits: [] } } });
  expect(of('flow_run_failed').request.headers).not.toHaveProperty('X-Event-Name');
  expect(rows.find(({ status_code }) => status_code === 204)?.response.body).toBe('');
  for (const { id, request } of rows) expect(request.headers['X-Event-Id']).toBe(id);
});

test('a signature is that of the payload under the secret of its time, and there is none without a secret', async () => {
  await using sandbox = await open();
  const { api, clock } = sandbox;
  await api.ask('PATCH', orders, { secret: 'hush-4711', events: ['cdd_state_changed', 'monitoring_alert_fired'] });
  clock.now += 10 * minutes;
  const rows = (await log(api, orders)).filter(({ timestamp }) => Date.parse(timestamp) > opened);
  const payloads = new Set<string>();
  for (const { request } of rows) {
    const { payload, headers } = request;
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const sign = (secret: string) => `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;
    expect(headers['X-Signature']).toBe(sign('hush-4711'));
    expect(headers['X-Signature']).not.toBe(sign('hush-4712'));
    payloads.add(typeof payload);
  }
  expect(payloads).toEqual(new Set(['string', 'object']));
  await api.ask('PATCH', orders, { secret: '' });
  clock.now += 3 * minutes;
  const [unsigned, ...signed] = await log(api, orders);
  expect(unsigned.request.headers).not.toHaveProperty('X-Signature');
  expect(signed).toContainEqual(rows[0]);
});

test('a redelivery adds one row, newest, with an id of its own and the same payload', async () => {
  await using sandbox = await open();
  const { api, clock } = sandbox;
  const before = await log(api, crm);
  const failure = before.find(failed);
  clock.now += 1000;
  const answer = await api.ask('POST', `${crm}/events/${failure.id}/redeliver`);
  expect(answer).toEqual({ status: 204, body: undefined });
  const [newest, ...rows] = await log(api, crm);
  expect(rows).toEqual(before.slice(0, 49));
  expect(newest).toMatchObject({
    event_type: failure.event_type,
    status_code: 200,
    timestamp: new Date(clock.now).toISOString(),
    request: { payload: failure.request.payload, headers: { 'X-Event-Id': newest.id } },
  });
  expect(before.map(({ id }) => id)).not.toContain(newest.id);
  const { last_delivery_at, last_delivery_status, status } = await read(api, crm);
  expect([last_delivery_at, last_delivery_status, status]).toEqual([newest.timestamp, 200, 'active']);
});

test('a redelivery of a redelivery in the same moment is another row', async () => {
  await using sandbox = await open();
  const { api } = sandbox;
  const ids: string[] = [];
  for (let time = 0; time < 3; time += 1) {
    const [newest] = await log(api, crm);
    ids.unshift(newest.id);
    await api.ask('POST', `${crm}/events/${newest.id}/redeliver`);
  }
  const rows = await log(api, crm);
  expect(rows.slice(1, 4).map(({ id }) => id)).toEqual(ids);
});

test('an id of a delivery is good for as long as the log has it', async () => {
  await using sandbox = await open();
  const { api, clock } = sandbox;
  const [{ id }] = await log(api, billing);
  const redeliver = async () => (await api.ask('POST', `${billing}/events/${id}/redeliver`)).status;
  clock.now += 5 * minutes;
  expect(await redeliver()).toBe(204);
  clock.now += 20 * minutes;
  expect(await redeliver()).toBe(404);
});

test('what is redelivered to a failing webhook fails until the webhook is updated', async () => {
  await using sandbox = await open();
  const { api, clock } = sandbox;
  const [{ id }] = await log(api, staging);
  const redeliver = async () => {
    clock.now += 1000;
    expect((await api.ask('POST', `${staging}/events/${id}/redeliver`)).status).toBe(204);
    const { status, last_delivery_status } = await read(api, staging);
    return [status, last_delivery_status];
  };
  expect(await redeliver()).toEqual(['failing', 503]);
  const { body } = await api.ask('PATCH', staging, { webhook_url: 'https://staging.acme.example/diligent/2' });
  expect(body).toMatchObject({ status: 'failing', last_delivery_status: 503 });
  expect(await redeliver()).toEqual(['active', 200]);
  clock.now += 60 * minutes;
  expect(await read(api, staging)).toMatchObject({ status: 'active', last_delivery_status: 200 });
});

test('what is redelivered to an inactive webhook is not sent', async () => {
  await using sandbox = await open();
  const { api } = sandbox;
  await api.ask('PATCH', crm, { is_active: false });
  const before = await log(api, crm);
  expect((await api.ask('POST', `${crm}/events/${before[0].id}/redeliver`)).status).toBe(204);
  expect(await log(api, crm)).toEqual(before);
  expect((await read(api, crm)).status).toBe('disabled');
});

test('a status that is odd or missing stays so, and the rest follows the log', async () => {
  await using sandbox = await open();
  const { api } = sandbox;
  const [{ id }] = await log(api, old);
  expect((await api.ask('POST', `${old}/events/${id}/redeliver`)).status).toBe(204);
  const row = await read(api, old);
  expect(row).toMatchObject({ last_delivery_at: new Date(opened).toISOString(), last_delivery_status: 200 });
  expect(row).not.toHaveProperty('status');
  expect((await api.ask('PATCH', billing, { is_active: false })).body.status).toBe('throttled');
});

test('the log of a webhook goes with it', async () => {
  await using sandbox = await open();
  const [{ id }] = await log(sandbox.api, crm);
  await sandbox.api.ask('DELETE', crm);
  expect((await sandbox.api.ask('GET', `${crm}/events`)).status).toBe(404);
  expect((await sandbox.api.ask('POST', `${crm}/events/${id}/redeliver`)).status).toBe(404);
});
