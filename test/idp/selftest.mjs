#!/usr/bin/env node
// SPDX-License-Identifier: ISC
// Exercises the provider the way aadssh's tests use it. Prints a line a case,
// ends with "N passed, N failed".

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac, createPublicKey, createVerify, X509Certificate }
  from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { click } from './click.mjs';
import { request } from './http.mjs';
import { changeKeys } from './keys.mjs';
import { loadUsers } from './users.mjs';

const TID = '5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77';
const CLIENT = 'b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4';
const URN = 'urn:ietf:params:oauth:grant-type:device_code';
const API = `api://${CLIENT}/Ssh.Login`;
const SCOPE = `${API} openid profile`;
const OFFLINE = `${SCOPE} offline_access`;
const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));
const ALICE = 'alice@contoso.com';

const now = () => Math.floor(Date.now() / 1000);
const json = (res) => JSON.parse(res.body);
const part = (jwt, i) => JSON.parse(Buffer.from(jwt.split('.')[i],
  'base64url'));

class Idp {
  static async start(dir, ...args) {
    const idp = new Idp();

    idp.dir = dir;
    idp.child = spawn(process.execPath, [SERVER, '--dir', dir, ...args],
      { stdio: ['ignore', 'pipe', 'inherit'] });
    idp.lines = [];
    const reader = createInterface({ input: idp.child.stdout });
    reader.on('line', (line) => idp.lines.push(line));
    await Promise.race([once(reader, 'line'), once(idp.child, 'exit')]);
    assert.match(idp.lines[0] ?? 'no line', /^ready https:\/\/[^ ]+:\d+$/);
    idp.url = idp.lines[0].slice('ready '.length);
    idp.ca = fs.readFileSync(path.join(dir, 'ca.pem'));
    return idp;
  }

  async stop() {
    const ended = once(this.child, 'exit');

    this.child.kill('SIGTERM');
    assert.deepEqual((await ended)[0], 0);
  }

  get(where) {
    return request(this.url + where, { ca: this.ca });
  }

  form(where, body, headers) {
    return request(this.url + where, { ca: this.ca, body, headers });
  }

  test(method, where, body) {
    return request(`${this.url}/_test/${where}`, { ca: this.ca, method,
      body: body && JSON.stringify(body) });
  }

  fault(endpoint, kind, more) {
    return this.test('POST', 'fault', { endpoint, kind, ...more });
  }

  start(scope = SCOPE, tenant = TID) {
    return this.form(`/${tenant}/oauth2/v2.0/devicecode`,
      { client_id: CLIENT, scope });
  }

  poll(code, more) {
    return this.form(`/${TID}/oauth2/v2.0/token`, { grant_type: URN,
      client_id: CLIENT, device_code: code, ...more });
  }

  click(device, user, deny) {
    return click({ ca: this.ca, url: device.verification_uri,
      code: device.user_code, user, deny });
  }

  async signIn(user, scope = SCOPE) {
    const device = json(await this.start(scope));

    await this.click(device, user);
    return this.poll(device.device_code);
  }

  refresh(token) {
    return this.form(`/${TID}/oauth2/v2.0/token`, { client_id: CLIENT,
      grant_type: 'refresh_token', refresh_token: token, scope: OFFLINE });
  }

  async keys() {
    return json(await this.get(`/${TID}/discovery/v2.0/keys`)).keys;
  }

  async verifies(jwt) {
    const [header, payload, signature] = jwt.split('.');
    const { kid, alg } = part(jwt, 0);
    const jwk = (await this.keys()).find((k) => k.kid === kid);

    return alg === 'RS256' && jwk !== undefined
      && createVerify('RSA-SHA256').update(`${header}.${payload}`).verify(
        createPublicKey({ key: jwk, format: 'jwk' }),
        Buffer.from(signature, 'base64url'));
  }
}

function refused(res, error, code, status = 400) {
  const body = json(res);

  assert.equal(res.status, status);
  assert.equal(body.error, error);
  assert.deepEqual(body.error_codes, code ? [code] : []);
  assert.match(body.timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
  assert.match(body.error_description, new RegExp(code
    ? `^AADSTS${code}: .* Trace ID: ${body.trace_id} Correlation ID: `
    : 'Trace ID: '));
}

async function tokensOf(idp, user, scope) {
  const res = await idp.signIn(user, scope);

  assert.equal(res.status, 200, res.body);
  return json(res);
}

const CASES = {};

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

CASES['id token: header, claims, signature'] = async (idp) => {
  const tokens = await tokensOf(idp, ALICE);
  const header = part(tokens.id_token, 0);
  const claims = part(tokens.id_token, 1);

  assert.equal(tokens.refresh_token, undefined);
  assert.deepEqual(Object.keys(header).sort(), ['alg', 'kid', 'typ']);
  assert.equal(header.typ, 'JWT');
  assert.ok(await idp.verifies(tokens.id_token));
  assert.equal(claims.iss, `${idp.url}/${TID}/v2.0`);
  assert.equal(claims.aud, CLIENT);
  assert.equal(claims.tid, TID);
  assert.equal(claims.ver, '2.0');
  assert.equal(claims.preferred_username, ALICE);
  assert.deepEqual(claims.roles, ['ssh.user']);
  assert.equal(claims.exp - claims.iat, 3900);
  assert.equal(claims.nbf, claims.iat);
  assert.ok(Math.abs(claims.iat - now()) < 5);
  for (const name of ['oid', 'name', 'sub', 'uti', 'rh', 'aio'])
    assert.equal(typeof claims[name], 'string', name);
  for (const name of ['at_hash', 'nonce', 'acr', 'amr', 'auth_time'])
    assert.equal(claims[name], undefined, name);
};

CASES['access token for the own API'] = async (idp) => {
  const { access_token: jwt } = await tokensOf(idp, 'bob@contoso.com');

  assert.ok(await idp.verifies(jwt));
  assert.equal(part(jwt, 0).typ, 'JWT');
  assert.equal(part(jwt, 1).scp, 'Ssh.Login');
  assert.equal(part(jwt, 1).azp, CLIENT);
  assert.deepEqual(part(jwt, 1).roles, ['ssh.user', 'ssh.deploy']);
};

CASES['without profile no identity; without openid no id token'] = async (
  idp) => {
  const thin = await tokensOf(idp, ALICE, `${API} openid`);
  const none = await tokensOf(idp, ALICE, API);
  const claims = part(thin.id_token, 1);

  assert.equal(claims.oid ?? claims.tid ?? claims.name, undefined);
  assert.equal(none.id_token, undefined);
  assert.ok(none.access_token);
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

CASES['no roles, 200 groups, overage, guest'] = async (idp) => {
  const claims = async (user) =>
    part((await tokensOf(idp, user)).id_token, 1);

  assert.equal((await claims('carol@contoso.com')).roles, undefined);
  const many = await claims('many@contoso.com');
  assert.equal(new Set(many.groups).size, 200);
  const over = await claims('overage@contoso.com');
  assert.equal(over.groups, undefined);
  assert.deepEqual(over._claim_names, { groups: 'src1' });
  assert.ok(over._claim_sources.src1.endpoint.includes(over.oid));
  const guest = await claims('sam@partner.example');
  assert.equal(guest.acct, 1);
  assert.match(guest.idp, /^https:\/\/sts\.windows\.net\//);
  assert.ok(guest.upn.includes('#EXT#'));
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
  refused(await idp.refresh(first.refresh_token), 'invalid_grant', 50173);
  assert.equal(json(await idp.refresh('bogus')).error_codes[0], 70000);
  for (const [user, code] of [['revoked', 50173], ['gone', 50057]]) {
    const tokens = await tokensOf(idp, `${user}@contoso.com`, OFFLINE);
    refused(await idp.refresh(tokens.refresh_token), 'invalid_grant', code);
  }
};

CASES['DIR/users.json on top, read at every sign-in'] = async (idp) => {
  const file = path.join(idp.dir, 'users.json');
  const change = { 'bob@contoso.com': null, 'eve@contoso.com': {
    claims: { roles: ['x'] }, claims_override: { iss: 'https://evil' } } };

  fs.writeFileSync(file, JSON.stringify(change));
  try {
    const { id_token: jwt } = await tokensOf(idp, 'eve@contoso.com');
    assert.ok(await idp.verifies(jwt));
    assert.deepEqual(part(jwt, 1).roles, ['x']);
    assert.equal(part(jwt, 1).iss, 'https://evil');
    await assert.rejects(idp.signIn('bob@contoso.com'), /AADSTS50034/);
  } finally {
    fs.rmSync(file);
  }
};

const SPOILT = {
  expired: (h, c) => c.exp < now() && c.iat < c.exp,
  future: (h, c) => c.nbf > now() + 3000,
  short: (h, c) => c.exp <= now() + 5 && c.exp > now(),
  'no-exp': (h, c) => c.exp === undefined,
  'exp-string': (h, c) => typeof c.exp === 'string',
  'other-tenant': (h, c) => c.tid !== TID,
  'other-issuer': (h, c) => c.iss.startsWith('https://login.microsoftonline'),
  'other-app': (h, c) => c.aud !== CLIENT,
  'aud-array': (h, c) => Array.isArray(c.aud),
  v1: (h, c) => c.ver === '1.0',
  'no-oid': (h, c) => c.oid === undefined,
  recycled: (h, c) => c.preferred_username === ALICE,
  'nul-name': (h, c) => c.preferred_username.includes('\0'),
  'two-oids': (h, c, text) => text.match(/"oid":/g).length === 2,
  'nonce-header': (h) => h.nonce === '0',
  crit: (h) => h.crit[0] === 'exp',
  big: (h, c, text) => text.length > 49152,
};

CASES['spoilt tokens whose signature holds'] = async (idp) => {
  for (const [user, spoilt] of Object.entries(SPOILT)) {
    const { id_token: jwt } = await tokensOf(idp, user);
    const text = Buffer.from(jwt.split('.')[1], 'base64url').toString();

    assert.ok(await idp.verifies(jwt), user);
    assert.ok(spoilt(part(jwt, 0), part(jwt, 1), text), user);
  }
};

CASES['tokens whose signature does not hold'] = async (idp) => {
  for (const user of ['unsigned', 'hs256', 'other-key', 'flipped',
    'unknown-kid', 'no-kid', 'rs384', 'jku', 'jwk']) {
    const { id_token: jwt } = await tokensOf(idp, user);

    assert.ok(!await idp.verifies(jwt), user);
    assert.equal(part(jwt, 1).preferred_username, ALICE, user);
  }
  const { id_token: jwt } = await tokensOf(idp, 'unsigned');
  assert.equal(part(jwt, 0).alg, 'none');
  assert.ok(jwt.endsWith('.'));

  const { id_token: mac } = await tokensOf(idp, 'hs256');
  const [header, payload, signature] = mac.split('.');
  const { x5c } = (await idp.keys()).find((k) => k.kid === part(mac, 0).kid);
  const pem = new X509Certificate(Buffer.from(x5c[0], 'base64')).publicKey
    .export({ type: 'spki', format: 'pem' });
  assert.equal(createHmac('sha256', pem).update(`${header}.${payload}`)
    .digest('base64url'), signature);
};

CASES['every account of users.json gives a token or a refusal'] = async (
  idp) => {
  for (const [name, user] of Object.entries(loadUsers(idp.dir)))
    if (user.refuse?.at !== 'page')
      assert.match(String((await idp.signIn(name)).status), /^(200|400)$/,
        name);
};

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
  const https = await import('node:https');

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
};

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
    for (const [name, test] of Object.entries(CASES)) {
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
