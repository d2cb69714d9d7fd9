// SPDX-License-Identifier: ISC
// What the self-test's cases share.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createPublicKey, createVerify } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { click } from './click.mjs';
import { request } from './http.mjs';

export const TID = '5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77';
export const CLIENT = 'b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4';
export const URN = 'urn:ietf:params:oauth:grant-type:device_code';
export const API = `api://${CLIENT}/Ssh.Login`;
export const SCOPE = `${API} openid profile`;
export const OFFLINE = `${SCOPE} offline_access`;
const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));
export const ALICE = 'alice@contoso.com';

/** Seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1000);
/** Body of an answer. */
export const json = (res) => JSON.parse(res.body);
/** Header (0) or claims (1) of a JWT. */
export const part = (jwt, i) => JSON.parse(Buffer.from(jwt.split('.')[i],
  'base64url'));

/** A running server and what a client does with it. */
export class Idp {
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

  async release() {
    return json(await this.test('POST', 'release', {})).released;
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

/** Asserts an answer to be Entra's error with that AADSTS number. */
export function refused(res, error, code, status = 400) {
  const body = json(res);

  assert.equal(res.status, status);
  assert.equal(body.error, error);
  assert.deepEqual(body.error_codes, code ? [code] : []);
  assert.match(body.timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
  assert.match(body.error_description, new RegExp(code
    ? `^AADSTS${code}: .* Trace ID: ${body.trace_id} Correlation ID: `
    : 'Trace ID: '));
}

/** Tokens of a sign-in that has to succeed. */
export async function tokensOf(idp, user, scope) {
  const res = await idp.signIn(user, scope);

  assert.equal(res.status, 200, res.body);
  return json(res);
}
