#!/usr/bin/env node
// SPDX-License-Identifier: ISC
// browser.mjs CHROMIUM URL CODE USER: play USER in a real web browser, which
// judges the provider's certificate by the NSS database below $HOME.

import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const [chromium, url, code, user] = process.argv.slice(2);
const require = createRequire(new URL('../idp/package.json', import.meta.url));
const { chromium: driver } = require('playwright-core');
const profile = mkdtempSync(path.join(tmpdir(), 'browser-'));
const LIMIT_MS = 20000;

const browser = await driver.launchPersistentContext(profile, {
  executablePath: chromium,
  headless: true,
  timeout: LIMIT_MS,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update',
    '--disable-sync'],
});
try {
  const page = await browser.newPage();

  page.setDefaultTimeout(LIMIT_MS);
  await page.goto(url);
  await page.fill('input[name=user_code]', code);
  await page.click('button[type=submit]');
  await page.click(`button[name=user][value="${user}"]`);
  await page.click('button[name=answer][value=continue]');
  await page.waitForSelector('#done');
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
