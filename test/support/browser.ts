import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

/** A page of a real browser, which keeps what the page did. */
export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** Every address that the page and its workers asked for so far, those of web sockets too. */
  readonly requests: readonly string[];
  /** The errors on its console so far, and the exceptions that it did not catch. */
  readonly errors: readonly string[];
}

const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];

/** Where this machine has Chromium; undefined where it has none. */
export const chromiumPath = folders.map((folder) => join(folder, 'chromium')).find((path) => existsSync(path));

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // No name leads anywhere: what a page asks of another host fails on every machine alike.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** Opens an empty page in a Chromium of its own. */
export async function openPage(): Promise<WatchedPage> {
  if (chromiumPath === undefined) throw new Error('There is no chromium on this machine');
  const requests: string[] = [];
  const errors: string[] = [];
  const browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: flags });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.on('request', (request) => requests.push(request.url()));
  context.on('page', (page) => page.on('websocket', (socket) => requests.push(socket.url())));
  context.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  context.on('weberror', (webError) => errors.push(String(webError.error())));
  return { page: await context.newPage(), requests, errors, [Symbol.asyncDispose]: () => browser.close() };
}
