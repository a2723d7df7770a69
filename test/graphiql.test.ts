import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { encodeId } from '../src/webhook.ts';
import { chromiumPath, openPage } from './support/browser.ts';
import { knowTokens } from './support/callers.ts';
import { openGraph } from './support/graph.ts';
import { listen } from './support/server.ts';

const sandboxes = { apimall: 'sandbox', diligent: 'sandbox' } as const;
const browserHeaders = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

/** The tabs in their order, each with what its answer holds. */
const tabs = {
  Overview: { webhooks: expect.objectContaining({ totalCount: 33, complete: true }) },
  FailingOnly: { webhooks: expect.objectContaining({ totalCount: 4, complete: true }) },
  OneProvider: {
    webhooks: {
      nodes: expect.arrayContaining([expect.objectContaining({ url: 'https://crm.acme.example/diligent' })]),
      complete: true,
    },
  },
  WebhookById: { webhook: expect.objectContaining({ externalId: '8', host: 'hooks.acme.example' }) },
  Sources: { webhookSources: ['apimall', 'diligent'].map((key) => expect.objectContaining({ key })) },
  WhyItFails: {
    webhook: expect.objectContaining({ failureSummary: expect.objectContaining({ consecutiveFailures: 7 }) }),
  },
  Redeliver: {
    redeliverWebhookDelivery: { webhook: null, userErrors: [expect.objectContaining({ code: 'INVALID' })] },
  },
  Create: {
    createDiligentWebhook: {
      webhook: expect.objectContaining({ hasSecret: true, health: 'IDLE' }),
      userErrors: [],
      warnings: [],
    },
  },
  Update: {
    updateDiligentWebhook: {
      webhook: expect.objectContaining({ enabled: false, health: 'DISABLED' }),
      userErrors: [],
      warnings: [],
    },
  },
  Delete: { deleteWebhook: { deletedId: encodeId('ApiMallWebhook', 'apimall', '21'), userErrors: [] } },
};

test('gives a browser the page', async () => {
  await using graph = await openGraph(sandboxes, { graphiql: true });
  const response = await graph.gateway.fetch('http://graph.test/graphql', { headers: browserHeaders });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/html\b/);
  expect(await response.text()).toContain('<title>hookgraph</title>');
});

test('gives a browser no page where GraphiQL is off', async () => {
  await using graph = await openGraph(sandboxes, { graphiql: false });
  const response = await graph.gateway.fetch('http://graph.test/graphql', { headers: browserHeaders });
  expect(response.headers.get('content-type')).not.toContain('html');
  expect(await response.text()).not.toContain('<html');
});

const skipped = chromiumPath === undefined ? ' (skipped: no chromium on this machine)' : '';

test.skipIf(skipped)(`runs every tab as it stands, and asks no other host${skipped}`, { timeout: 60_000 }, async () => {
  await using graph = await openGraph(sandboxes, { graphiql: true });
  await using server = await listen(graph.gateway);
  await using browser = await openPage();
  const { page, requests, errors } = browser;

  await page.goto(`${server.url}/graphql`);
  await editorWith(page, 'query Overview').waitFor();
  expect(await page.getByRole('tab').allInnerTexts()).toEqual(Object.keys(tabs));
  for (const [name, data] of Object.entries(tabs)) {
    const answer = await runTab(page, name);
    expect(answer).toEqual({ data });
    // The pane holds the lines in view only.
    const start = withoutSpaces(JSON.stringify(answer)).slice(0, 200);
    await expect.poll(() => shownResult(page, start.length), { timeout: 20_000 }).toBe(start);
  }

  expect(requests).toContain(`${server.url}/graphql`);
  const isLocal = (address: string) => address.startsWith('data:') || new URL(address).origin === server.url;
  expect(requests.filter((address) => !isLocal(address))).toEqual([]);
  expect(errors).toEqual([]);
});

test.skipIf(skipped)(`says where a token goes, and does not keep it${skipped}`, { timeout: 60_000 }, async () => {
  await using graph = await openGraph(sandboxes, { graphiql: true, needsToken: true });
  const authentication = knowTokens({ hg_canary: 'app webhooks:read' });
  await using server = await listen(graph.gateway, { graphiql: true, authentication });
  await using browser = await openPage();
  const { page } = browser;

  await page.goto(`${server.url}/graphql`);
  await editorWith(page, 'Each tab needs a token').waitFor();
  expect(await page.title()).toBe('hookgraph (needs a token)');
  await expect.poll(() => shownResult(page), { timeout: 20_000 }).toContain('"code":"UNAUTHENTICATED"');
  await expect.poll(async () => withoutSpaces(await headersEditor(page).innerText())).toContain('"BearerYOUR-TOKEN"');

  await headersEditor(page).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await expect.poll(async () => withoutSpaces(await headersEditor(page).innerText())).toBe('');
  await page.keyboard.insertText('{ "authorization": "Bearer hg_canary" }');
  await page.getByRole('button', { name: 'Execute query' }).click();
  await expect.poll(() => shownResult(page), { timeout: 20_000 }).toContain('"totalCount":33');
  await Promise.all([
    page.waitForResponse(async (response) => (await response.text()).includes('__schema')),
    page.getByRole('button', { name: 'Re-fetch GraphQL schema' }).click(),
  ]);
  await editorWith(page, 'Each tab').click();
  await page.keyboard.insertText('# later');
  await expect.poll(() => page.evaluate('JSON.stringify(localStorage)')).toContain('# later');
  expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain('canary');
  // Its address holds the query by now.
  await expect.poll(() => page.url()).toContain('?query=');
  expect((await page.reload())?.status()).toBe(200);
});

/** Selects a tab with the mouse, runs it, and returns what the server answered. */
async function runTab(page: Page, name: string): Promise<unknown> {
  await page.getByRole('button', { name, exact: true }).click();
  await editorWith(page, ` ${name}`).waitFor();
  // GraphiQL runs the operation that it has parsed, some time after the editor shows it, and stores the query then.
  const stored = () => page.evaluate(`localStorage.getItem('graphiql:query')`);
  await expect.poll(stored, { timeout: 20_000 }).toMatch(new RegExp(`^(query|mutation) ${name}\\b`, 'm'));
  const [response] = await Promise.all([
    page.waitForResponse((candidate) => candidate.request().postDataJSON()?.operationName === name),
    page.getByRole('button', { name: 'Execute query' }).click(),
  ]);
  return await response.json();
}

function editorWith(page: Page, text: string): Locator {
  return page.locator('.graphiql-query-editor', { hasText: text });
}

function headersEditor(page: Page): Locator {
  return page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines');
}

/** The start of the result that the page shows, without spaces. */
async function shownResult(page: Page, length?: number): Promise<string> {
  return withoutSpaces(await page.locator('.graphiql-response .view-lines').innerText()).slice(0, length);
}

function withoutSpaces(text: string): string {
  return text.replace(/\s/g, '');
}
