#!/usr/bin/env node
// SPDX-License-Identifier: ISC
// Exercises the provider the way aadssh's tests use it. Prints a line a case,
// ends with "N passed, N failed".

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CASES as FAULTS } from './selftest-faults.mjs';
import { CASES as FLOW } from './selftest-flow.mjs';
import { ALICE, Idp, TID, json, part, refused } from './selftest-idp.mjs';
import { CASES as TOKENS } from './selftest-tokens.mjs';

async function expiry(dir) {
  const idp = await Idp.start(dir, '--expires', '2', '--interval', '2',
    '--issuer-authority', 'https://login.microsoftonline.com/');

  try {
    const device = json(await idp.start());
    assert.equal(device.expires_in, 2);
    assert.equal(device.interval, 2);
    assert.match(device.verification_uri,
      /^https:\/\/login\.microsoftonline\.com\/common\//);
    await sleep(3000);
    refused(await idp.poll(device.device_code), 'expired_token', 70020);
    const here = device.verification_uri.replace(
      'https://login.microsoftonline.com', idp.url);
    await assert.rejects(idp.click({ ...device, verification_uri: here },
      ALICE), /expired/);
    const doc = json(await idp.get(
      `/${TID}/v2.0/.well-known/openid-configuration`));
    assert.equal(doc.issuer,
      `https://login.microsoftonline.com/${TID}/v2.0`);
    const fresh = json(await idp.start());
    await idp.click({ ...fresh, verification_uri: here }, ALICE);
    const { id_token: jwt } = json(await idp.poll(fresh.device_code));
    assert.equal(part(jwt, 1).iss, doc.issuer);
  } finally {
    await idp.stop();
  }
}

async function main() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'aadssh-idp-test-'));
  const count = { passed: 0, failed: 0 };
  const run = async (name, test) => {
    try {
      await test();
      count.passed += 1;
      console.log(`ok ${name}`);
    } catch (err) {
      count.failed += 1;
      console.log(`not ok ${name}\n  ${(err.stack ?? String(err))
        .replaceAll('\n', '\n  ')}`);
    }
  };

  let idp;
  try {
    idp = await Idp.start(dir, '--interval', '1');
    for (const [name, test] of Object.entries({ ...FLOW, ...TOKENS,
      ...FAULTS })) {
      await run(name, () => test(idp));
      await idp.test('DELETE', 'fault');
    }
    await run('SIGTERM ends it', () => idp.stop());
    await run('expiry; issuer of the public cloud', () => expiry(dir));
  } finally {
    idp?.child.kill('SIGKILL');
    fs.rmSync(dir, { recursive: true, force: true });
  }
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exit(count.failed ? 1 : 0);
}

main().catch((err) => {
  console.error(`selftest: ${err.stack}`);
  process.exit(1);
});
