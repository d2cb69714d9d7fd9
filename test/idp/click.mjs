#!/usr/bin/env node
// SPDX-License-Identifier: ISC
// Does what a person does in the browser, through the real pages' forms:
//   click.mjs [--ca ca.pem] [--deny] URL CODE USER
// Each step on stderr; exit 0 when done, 1 with a sentence otherwise.

import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Browser } from './http.mjs';

const ENTITIES = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"',
  '&#39;': "'" };
const plain = (html) => html.replace(/<[^>]*>/g, '')
  .replace(/&(amp|lt|gt|quot|#39);/g, (e) => ENTITIES[e])
  .replace(/\s+/g, ' ').trim();
const attribute = (tag, name) =>
  plain(new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? '');

function forms(page) {
  return [...page.body.matchAll(/<form\b[^>]*>.*?<\/form>/gs)]
    .map(([text]) => ({
      action: new URL(attribute(text, 'action'), page.url),
      inputs: [...text.matchAll(/<input\b[^>]*>/gs)].map(([tag]) =>
        [attribute(tag, 'name'), attribute(tag, 'value')]),
      buttons: [...text.matchAll(/<button\b[^>]*>/gs)].map(([tag]) =>
        [attribute(tag, 'name'), attribute(tag, 'value')]),
    }));
}

function check(page) {
  const error = /<p class="error"[^>]*>(.*?)<\/p>/s.exec(page.body)?.[1];

  if (error)
    throw new Error(`the page says: ${plain(error)}`);
  if (page.status !== 200)
    throw new Error(`the page answers with HTTP ${page.status}`);
  return page;
}

const title = (page) => plain(/<h1>(.*?)<\/h1>/s.exec(page.body)?.[1] ?? '');

// Fills in FIELD, or presses the button FIELD=VALUE, whichever a form has.
async function submit(browser, page, field, value) {
  for (const form of forms(page)) {
    const data = Object.fromEntries(form.inputs);

    if (Object.hasOwn(data, field)
      || form.buttons.some(([n, v]) => n === field && v === value))
      return check(await browser.open(form.action,
        { ...data, [field]: value }));
  }
  throw new Error(`the page "${title(page)}" has no field for ${field}`);
}

/** The whole sign-in of USER with CODE; STEP(text) is told each step. */
export async function click({ ca, url, code, user, deny, step = () => {} }) {
  const browser = new Browser(ca);

  step(`open ${url}`);
  let page = check(await browser.open(url));
  step(`"${title(page)}": ${code}`);
  page = await submit(browser, page, 'user_code', code);
  step(`"${title(page)}": ${user}`);
  page = await submit(browser, page, 'user', user);
  step(`"${title(page)}": ${deny ? 'Cancel' : 'Continue'}`);
  try {
    page = await submit(browser, page, 'answer', deny ? 'cancel' : 'continue');
  } catch (err) {
    if (deny && /cancelled|may now close/.test(err.message))
      return;
    throw err;
  }
  if (deny || !page.body.includes('id="done"'))
    throw new Error(`unexpected page "${title(page)}"`);
  step(`"${title(page)}"`);
}

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true,
    options: { ca: { type: 'string' }, deny: { type: 'boolean' } } });
  const [url, code, user] = positionals;

  if (positionals.length !== 3) {
    console.error('usage: click.mjs [--ca ca.pem] [--deny] URL CODE USER');
    process.exit(2);
  }
  await click({ ca: values.ca && fs.readFileSync(values.ca), url, code, user,
    deny: values.deny, step: (text) => console.error(`browser: ${text}`) });
}

if (process.argv[1] && fs.realpathSync(process.argv[1])
  === fileURLToPath(import.meta.url))
  main().catch((err) => {
    console.error(`click: ${err.message}`);
    process.exit(1);
  });
