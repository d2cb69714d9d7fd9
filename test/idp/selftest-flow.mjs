// SPDX-License-Identifier: ISC
// The device flow, documents, refusals, refresh, rotation.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from './http.mjs';
import { changeKeys } from './keys.mjs';
import { ALICE, API, CLIENT, OFFLINE, SCOPE, TID, URN, json, part, refused,
  tokensOf } from './selftest-idp.mjs';

/** name -> test(idp) */
export const CASES = {};

CASES['stdout has one line, DIR/port the port'] = async (idp) => {
  assert.equal(idp.lines.length, 1);
  assert.equal(fs.readFileSync(path.join(idp.dir, 'port'), 'utf8').trim(),
    new URL(idp.url).port);
};

CASES['certificate: private CA, all names'] = async (idp) => {
  const read = (name) => new X509Certificate(
    fs.readFileSync(path.join(idp.dir, name)));
  const [ca, cert] = [read('ca.pem'), read('server.pem')];

  assert.ok(cert.verify(ca.publicKey) && ca.ca && !cert.ca);
  for (const name of ['localhost', 'login.microsoftonline.com',
    'login.example.test'])
    assert.equal(cert.checkHost(name), name);
  assert.ok(cert.checkIP('127.0.0.1') && cert.checkIP('::1'));
  await assert.rejects(request(idp.url));
};

CASES['discovery of the tenant'] = async (idp) => {
  const doc = json(await idp.get(
    `/${TID}/v2.0/.well-known/openid-configuration`));

  assert.equal(doc.issuer, `${idp.url}/${TID}/v2.0`);
  assert.equal(doc.jwks_uri, `${idp.url}/${TID}/discovery/v2.0/keys`);
  assert.equal(doc.device_authorization_endpoint,
    `${idp.url}/${TID}/oauth2/v2.0/devicecode`);
  assert.equal(doc.token_endpoint, `${idp.url}/${TID}/oauth2/v2.0/token`);
};

CASES['aliases have the template issuer'] = async (idp) => {
  for (const alias of ['common', 'organizations']) {
    const doc = json(await idp.get(
      `/${alias}/v2.0/.well-known/openid-configuration`));

    assert.equal(doc.issuer, `${idp.url}/{tenantid}/v2.0`);
    const { keys } = json(await request(doc.jwks_uri, { ca: idp.ca }));
    assert.equal(keys[0].issuer, doc.issuer);
    assert.equal((await idp.start(SCOPE, alias)).status, 200);
  }
};

CASES['JWKS: RSA-2048 keys, no alg, x5t = kid = x5c'] = async (idp) => {
  const keys = await idp.keys();

  assert.ok(keys.length >= 4 && keys.length <= 6);
  for (const key of keys) {
    assert.deepEqual(Object.keys(key), ['kty', 'use', 'kid', 'x5t', 'n', 'e',
      'x5c', 'cloud_instance_name', 'issuer']);
    assert.equal(Buffer.from(key.n, 'base64url').length, 256);
    const cert = new X509Certificate(Buffer.from(key.x5c[0], 'base64'));
    assert.equal(Buffer.from(cert.fingerprint.replaceAll(':', ''), 'hex')
      .toString('base64url'), key.kid);
    assert.equal(cert.publicKey.export({ format: 'jwk' }).n, key.n);
    assert.equal(key.x5t, key.kid);
  }
};

CASES['device answer'] = async (idp) => {
  const doc = json(await idp.start());

  assert.match(doc.user_code, /^[A-Z]{9}$/);
  assert.ok(doc.device_code.length >= 200);
  assert.equal(doc.interval, 1);
  assert.equal(doc.expires_in, 900);
  assert.ok(doc.message.includes(doc.user_code)
    && doc.message.includes(doc.verification_uri));
  assert.equal(doc.verification_uri_complete, undefined);
};

CASES['pending, approved, tokens, redeemed'] = async (idp) => {
  const device = json(await idp.start(OFFLINE));

  refused(await idp.poll(device.device_code), 'authorization_pending', 70016);
  await idp.click(device, ALICE);
  const res = await idp.poll(device.device_code, { client_info: '1' });
  assert.equal(res.status, 200);
  const tokens = json(res);
  assert.equal(tokens.token_type, 'Bearer');
  assert.equal(tokens.scope, API);
  assert.equal(tokens.expires_in, tokens.ext_expires_in);
  assert.ok(tokens.refresh_token);
  assert.deepEqual(JSON.parse(Buffer.from(tokens.client_info, 'base64url')),
    { uid: part(tokens.id_token, 1).oid, utid: TID });
  refused(await idp.poll(device.device_code), 'invalid_grant', 54005);
};

CASES['scope by GUID and .default is known, another is not'] = async (idp) => {
  assert.equal((await idp.start(`${CLIENT}/.default openid`)).status, 200);
  refused(await idp.start('api://nobody/Ssh.Login'), 'invalid_scope', 70011);
};

CASES['both names of the grant type'] = async (idp) => {
  const device = json(await idp.start());

  refused(await idp.poll(device.device_code, { grant_type: 'device_code' }),
    'authorization_pending', 70016);
  refused(await idp.poll(device.device_code, { grant_type: 'password' }),
    'unsupported_grant_type', 70003);
};

CASES['declined'] = async (idp) => {
  const device = json(await idp.start());

  await idp.click(device, ALICE, true);
  refused(await idp.poll(device.device_code), 'authorization_declined',
    65004);
};

CASES['wrong code in the browser, wrong device code'] = async (idp) => {
  const device = json(await idp.start());

  await assert.rejects(idp.click({ ...device, user_code: 'WRONGCODE' },
    ALICE), /didn't work/);
  refused(await idp.poll(device.device_code), 'authorization_pending', 70016);
  refused(await idp.poll('bogus'), 'bad_verification_code', 70018);
  await idp.click({ ...device, user_code: device.user_code.toLowerCase() },
    ALICE);
  assert.equal((await idp.poll(device.device_code)).status, 200);
  await assert.rejects(idp.click(device, ALICE), /used already/);
};

CASES['wrong tenant, wrong client, secret, missing parameter'] = async (
  idp) => {
  const other = '2b7d64f0-0c8e-4d15-a9f3-7e51c0b6d842';
  const token = `/${TID}/oauth2/v2.0/token`;

  refused(await idp.start(SCOPE, other), 'invalid_tenant', 90002);
  refused(await idp.get(`/${other}/discovery/v2.0/keys`), 'invalid_tenant',
    90002);
  refused(await idp.form(`/${TID}/oauth2/v2.0/devicecode`,
    { client_id: other, scope: SCOPE }), 'unauthorized_client', 700016);
  refused(await idp.poll('x', { client_id: other }), 'unauthorized_client',
    700016);
  refused(await idp.poll('x', { client_secret: 's' }), 'invalid_client',
    700025, 401);
  refused(await idp.form(token, { client_id: CLIENT, grant_type: URN }),
    'invalid_request', 900144);
  assert.equal((await idp.get('/nothing')).status, 404);
};

CASES['refused accounts'] = async (idp) => {
  refused(await idp.signIn('disabled@contoso.com'), 'invalid_grant', 50057);
  refused(await idp.signIn('unassigned@contoso.com'), 'invalid_grant', 50105);
  refused(await idp.signIn('blocked@contoso.com'), 'invalid_grant', 53003);
  refused(await idp.signIn('mfa@contoso.com'), 'interaction_required', 50076);
  const device = json(await idp.start());
  await assert.rejects(idp.click(device, 'nobody@contoso.com'),
    /AADSTS50034/);
  const again = json(await idp.start());
  await assert.rejects(idp.click(again, 'blocked-page@contoso.com'),
    /AADSTS53003/);
  refused(await idp.poll(again.device_code), 'authorization_pending', 70016);
};

CASES['refresh rotates; revoked and gone accounts'] = async (idp) => {
  const first = await tokensOf(idp, ALICE, OFFLINE);
  const res = await idp.refresh(first.refresh_token);

  assert.equal(res.status, 200, res.body);
  assert.notEqual(json(res).refresh_token, first.refresh_token);
  assert.ok(await idp.verifies(json(res).id_token));
  assert.equal((await idp.refresh(first.refresh_token)).status, 200);
  assert.equal(json(await idp.refresh('bogus')).error_codes[0], 70000);
  for (const [user, code] of [['revoked', 50173], ['gone', 50057]]) {
    const tokens = await tokensOf(idp, `${user}@contoso.com`, OFFLINE);
    refused(await idp.refresh(tokens.refresh_token), 'invalid_grant', code);
  }
};

CASES['refresh tokens without a browser'] = async (idp) => {
  const list = json(await idp.test('POST', 'mint',
    { users: [ALICE, 'user7@contoso.com'] }));

  assert.equal(list.length, 2);
  for (const { user, oid, refresh_token: token } of list) {
    const res = await idp.refresh(token);
    assert.equal(res.status, 200, res.body);
    const claims = await idp.verifies(json(res).id_token);
    assert.ok(claims);
    const payload = JSON.parse(Buffer.from(json(res).id_token.split('.')[1],
      'base64url'));
    assert.equal(payload.oid, oid);
    assert.equal(payload.preferred_username, user);
  }
};

CASES['the log counts and keeps no secret'] = async (idp) => {
  await idp.test('DELETE', 'log');
  const device = json(await idp.start());
  await idp.poll(device.device_code);
  const text = (await idp.test('GET', 'log')).body;
  const { counts, requests } = JSON.parse(text);

  assert.deepEqual(counts, { devicecode: 1, token: 1 });
  assert.equal(requests[0].form.scope, SCOPE);
  assert.equal(requests[1].form.grant_type, URN);
  assert.equal(requests[1].error, 'authorization_pending');
  assert.match(requests[1].form.device_code, /^\(\d+ characters\)$/);
  assert.ok(!text.includes(device.device_code));
  assert.ok(requests[1].at_ms >= requests[0].at_ms);
};

CASES['request ids go round'] = async (idp) => {
  const id = '9c8f2e64-0a7d-4b53-b1de-2f6a90c7e815';
  const res = await idp.form(`/${TID}/oauth2/v2.0/token`,
    { client_id: CLIENT, grant_type: URN, device_code: 'x' },
    { 'client-request-id': id, 'return-client-request-id': 'true' });

  assert.equal(json(res).correlation_id, id);
  assert.equal(res.headers['client-request-id'], id);
  assert.equal(res.headers['x-ms-request-id'], json(res).trace_id);
};

CASES['keys rotate: by request and by SIGHUP; state stays'] = async (idp) => {
  const before = await tokensOf(idp, ALICE);
  const device = json(await idp.start());

  await idp.test('POST', 'keys', { change: 'rotate' });
  await idp.click(device, ALICE);
  const after = json(await idp.poll(device.device_code));
  assert.notEqual(part(after.id_token, 0).kid, part(before.id_token, 0).kid);
  assert.ok(await idp.verifies(before.id_token));
  assert.ok(await idp.verifies(after.id_token));

  changeKeys(idp.dir, 'drop-old');
  idp.child.kill('SIGHUP');
  for (let i = 0; i < 50 && (await idp.keys()).length !== 1; i++)
    await sleep(20);
  assert.ok(!await idp.verifies(before.id_token));
  assert.ok(await idp.verifies(after.id_token));
  await idp.test('POST', 'keys', { change: 'stop-publishing' });
  assert.ok(!await idp.verifies((await tokensOf(idp, ALICE)).id_token));
  await idp.test('POST', 'keys', { change: 'rotate' });
  assert.ok(await idp.verifies((await tokensOf(idp, ALICE)).id_token));
};
