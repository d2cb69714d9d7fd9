// SPDX-License-Identifier: ISC
// What is in the tokens, honest and hostile ones.

import assert from 'node:assert/strict';
import { createHmac, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { loadUsers } from './users.mjs';
import { ALICE, API, CLIENT, TID, json, now, part, tokensOf }
  from './selftest-idp.mjs';

/** name -> test(idp) */
export const CASES = {};

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
