#!/usr/bin/env node
// SPDX-License-Identifier: ISC
// The same as click.mjs with a real Chromium:
//   browser.mjs [--ca ca.pem] [--screenshot DIR] [--deny] URL CODE USER
// TLS is checked for real: the private CA is put into the certificate
// database of a throw-away HOME. Needs chromium (or $CHROMIUM) and certutil.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const STEP_MS = 30000;
const FLAGS = ['--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update',
  '--disable-sync'];

function trust(home, ca) {
  const db = `sql:${path.join(home, '.pki/nssdb')}`;

  fs.mkdirSync(path.join(home, '.pki/nssdb'), { recursive: true });
  execFileSync('certutil', ['-N', '-d', db, '--empty-password']);
  execFileSync('certutil', ['-A', '-d', db, '-n', 'aadssh tests', '-t', 'C,,',
    '-i', ca]);
}

async function launch(home) {
  const { chromium } = await import('playwright-core');
  const root = process.getuid() === 0;

  return chromium.launchPersistentContext(path.join(home, 'profile'), {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: root ? ['--no-sandbox', ...FLAGS] : FLAGS,
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home,
      XDG_CACHE_HOME: home },
  });
}

async function signIn(page, { url, code, user, deny, step }) {
  const heading = () => page.locator('h1').innerText();
  const go = async (what, action) => {
    await step(`"${await heading()}": ${what}`);
    await action();
    await page.waitForLoadState();
    const error = page.locator('#error');
    if (await error.count())
      throw new Error(`the page says: ${await error.innerText()}`);
  };

  await page.goto(url);
  await go(code, async () => {
    await page.getByLabel('Code').fill(code);
    await page.getByRole('button', { name: 'Next' }).click();
  });
  await go(user, async () => {
    const account = page.locator(`li button[value="${user}"]`);
    if (await account.count())
      return account.click();
    await page.getByLabel('Use another account').fill(user);
    return page.getByRole('button', { name: 'Next' }).click();
  });
  const answer = deny ? 'Cancel' : 'Continue';
  try {
    await go(answer, () => page.getByRole('button', { name: answer }).click());
  } catch (err) {
    if (!deny || !/may now close/.test(err.message))
      throw err;
  }
  if (!deny)
    await page.locator('#done').waitFor();
  await step(`"${await heading()}"`);
}

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true,
    options: { ca: { type: 'string' }, screenshot: { type: 'string' },
      deny: { type: 'boolean' } } });
  const [url, code, user] = positionals;

  if (positionals.length !== 3) {
    console.error('usage: browser.mjs [--ca ca.pem] [--screenshot DIR] '
      + '[--deny] URL CODE USER');
    process.exit(2);
  }
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'aadssh-browser-'));
  let context;
  try {
    if (values.ca)
      trust(home, values.ca);
    context = await launch(home);
    const page = await context.newPage();
    let shots = 0;

    page.setDefaultTimeout(STEP_MS);
    if (values.screenshot)
      fs.mkdirSync(values.screenshot, { recursive: true });
    await signIn(page, { url, code, user, deny: values.deny,
      step: async (text) => {
        console.error(`browser: ${text}`);
        if (values.screenshot)
          await page.screenshot({ path: path.join(values.screenshot,
            `step${++shots}.png`) });
      } });
  } finally {
    await context?.close();
    fs.rmSync(home, { recursive: true, force: true });
  }
}

main().catch((err) => {
  console.error(`browser: ${err.message.split('\n')[0]}`);
  process.exit(1);
});
