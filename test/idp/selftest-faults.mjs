// SPDX-License-Identifier: ISC
// Faults on demand.

import assert from 'node:assert/strict';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { ALICE, TID, json, now, refused } from './selftest-idp.mjs';

/** name -> test(idp) */
export const CASES = {};

const TOKEN_FAULTS = [
  ['slow_down', {}, 400, 'slow_down', 0],
  ['throttled', { retry_after: 2 }, 429, 'temporarily_unavailable', 90055],
  ['unavailable', {}, 503, 'temporarily_unavailable', 90033],
  ['unavailable', { status: 500 }, 500, 'temporarily_unavailable', 90033],
  ['declined', {}, 400, 'authorization_declined', 65004],
  ['access_denied', {}, 400, 'access_denied', 65004],
  ['expired_token', {}, 400, 'expired_token', 70020],
  ['bad_verification_code', {}, 400, 'bad_verification_code', 70018],
  ['not_public_client', {}, 401, 'invalid_client', 7000218],
  ['interaction_required', {}, 400, 'interaction_required', 50076],
  ['aadsts', { code: 90009 }, 400, 'invalid_request', 90009],
];

CASES['token faults, then the truth again'] = async (idp) => {
  const device = json(await idp.start());

  await idp.click(device, ALICE);
  for (const [kind, more, status, error, code] of TOKEN_FAULTS) {
    await idp.fault('token', kind, more);
    const res = await idp.poll(device.device_code);
    refused(res, error, code, status);
    if (more.retry_after)
      assert.equal(res.headers['retry-after'], '2');
  }
  assert.equal((await idp.poll(device.device_code)).status, 200);
};

CASES['faults: after, times, always, clear, any answer'] = async (idp) => {
  const error = async () => json(await idp.poll('x')).error;

  await idp.test('POST', 'fault', [
    { endpoint: 'token', kind: 'slow_down', after: 1, times: 2 },
    { endpoint: 'token', kind: 'answer', status: 418, times: 0,
      headers: { 'X-Test': 'yes' }, body: { error: { code: 1 } } }]);
  assert.equal(await error(), 'bad_verification_code');
  assert.equal(await error(), 'slow_down');
  assert.equal(await error(), 'slow_down');
  for (let i = 0; i < 3; i++) {
    const res = await idp.poll('x');
    assert.equal(res.status, 418);
    assert.equal(res.headers['x-test'], 'yes');
    assert.deepEqual(json(res).error, { code: 1 });
  }
  assert.equal(json(await idp.test('GET', 'fault')).length, 1);
  await idp.test('DELETE', 'fault');
  assert.equal(await error(), 'bad_verification_code');
  for (const bad of [{ endpoint: 'x', kind: 'hang' },
    { endpoint: 'token', kind: 'x' },
    { endpoint: 'token', kind: 'hang', times: -1 }])
    assert.equal((await idp.test('POST', 'fault', bad)).status, 400);
};

CASES['devicecode faults: error with 200, edits'] = async (idp) => {
  await idp.fault('devicecode', 'aadsts', { code: 50059, status: 200 });
  refused(await idp.start(), 'invalid_request', 50059, 200);
  await idp.fault('devicecode', 'edit', { remove: ['interval'],
    strings: ['expires_in'], set: { message: '\u001b]0;x\u0007' } });
  const doc = json(await idp.start());
  assert.equal(doc.interval, undefined);
  assert.equal(doc.expires_in, '900');
  assert.equal(doc.message, '\u001b]0;x\u0007');
};

CASES['discovery faults: other issuer, other host'] = async (idp) => {
  const where = `/${TID}/v2.0/.well-known/openid-configuration`;

  await idp.fault('discovery', 'edit', { set: { issuer: 'https://evil/',
    jwks_uri: 'http://localhost/keys' } });
  const doc = json(await idp.get(where));
  assert.equal(doc.issuer, 'https://evil/');
  assert.equal(doc.jwks_uri, 'http://localhost/keys');
  assert.notEqual(json(await idp.get(where)).issuer, 'https://evil/');
};

async function bytesOf(idp, stopAt) {
  return new Promise((resolve, reject) => {
    const req = https.get(`${idp.url}/${TID}/discovery/v2.0/keys`,
      { ca: idp.ca, agent: false, autoSelectFamily: true }, (res) => {
        let size = 0;

        res.on('data', (part_) => {
          size += part_.length;
          if (size > stopAt)
            req.destroy();
        });
        res.on('close', () => resolve({ size, headers: res.headers,
          complete: res.complete }));
        res.on('error', () => {});
      });

    req.on('error', (err) => err.code !== 'ECONNRESET' && reject(err));
  });
}

CASES['keys faults: endless, huge, bomb, deep, truncated'] = async (idp) => {
  const MIB = 1 << 20;

  await idp.fault('keys', 'endless');
  assert.ok((await bytesOf(idp, 8 * MIB)).size > 8 * MIB);
  await idp.fault('keys', 'huge', { bytes: 3 * MIB });
  const huge = await bytesOf(idp, 64 * MIB);
  assert.ok(huge.complete && huge.size >= 3 * MIB);
  await idp.fault('keys', 'gzip_bomb', { bytes: 32 * MIB });
  const bomb = await bytesOf(idp, 64 * MIB);
  assert.equal(bomb.headers['content-encoding'], 'gzip');
  assert.ok(bomb.size < MIB);
  await idp.fault('keys', 'deep');
  assert.equal((await bytesOf(idp, 64 * MIB)).size, 200000);
  await idp.fault('keys', 'truncated');
  assert.equal((await bytesOf(idp, 64 * MIB)).complete, false);
};

CASES['keys faults: redirect, garbage, drip, delay'] = async (idp) => {
  const where = `/${TID}/discovery/v2.0/keys`;
  const timed = async (promise) => {
    const start = Date.now();
    await promise;
    return Date.now() - start;
  };

  await idp.fault('keys', 'redirect', { location: 'http://127.0.0.1/' });
  const res = await idp.get(where);
  assert.equal(res.status, 302);
  assert.equal(res.headers.location, 'http://127.0.0.1/');
  await idp.fault('keys', 'garbage');
  assert.match((await idp.get(where)).headers['content-type'], /html/);
  await idp.fault('keys', 'delay', { ms: 300 });
  assert.ok(await timed(idp.keys()) >= 300);
  await idp.fault('keys', 'hold');
  const kept = idp.keys();
  while (await idp.release() === 0)
    await sleep(20);
  assert.ok(await kept);
  await idp.fault('keys', 'drip', { ms: 50 });
  const drip = bytesOf(idp, 4);
  assert.ok(await timed(drip) >= 200);
  assert.equal((await drip).complete, false);
};

CASES['hang and reset'] = async (idp) => {
  await idp.fault('token', 'reset');
  await assert.rejects(idp.poll('x'), { code: 'ECONNRESET' });
  await idp.fault('token', 'hang');
  const won = await Promise.race([idp.poll('x').catch(() => 'answer'),
    sleep(1000, 'nothing')]);
  assert.equal(won, 'nothing');
};
