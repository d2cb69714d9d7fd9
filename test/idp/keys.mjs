// SPDX-License-Identifier: ISC
// Signing keys in DIR/keys.json. Exactly one signs; the published ones form
// the JWKS; one is never published ("foreign", for hostile tokens).
//
//   node keys.mjs DIR rotate|drop-old|stop-publishing
//
// rotate: a new key is published and signs from now on, the others stay.
// drop-old: only the signing key stays published.
// stop-publishing: the signing key is taken out of the JWKS.
// The server reads the file again on SIGHUP.

import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const PUBLISHED = 5;

function selfSigned(pem) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'aadssh-idp-'));
  const file = path.join(dir, 'key.pem');

  try {
    fs.writeFileSync(file, pem, { mode: 0o600 });
    return execFileSync('openssl', ['req', '-x509', '-new', '-sha256',
      '-key', file, '-days', '1825', '-outform', 'DER',
      '-subj', '/CN=accounts.accesscontrol.test'],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

function makeKey(flags) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const der = selfSigned(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const thumb = createHash('sha1').update(der).digest('base64url');

  return {
    kid: thumb,
    x5t: thumb,
    x5c: [der.toString('base64')],
    use: 'sig',
    ...privateKey.export({ format: 'jwk' }),
    ...flags,
  };
}

function firstKeys() {
  const keys = [];

  for (let i = 0; i < PUBLISHED; i++)
    keys.push(makeKey({ publish: true, sign: i === 1 }));
  keys.push(makeKey({ foreign: true }));
  return keys;
}

function store(dir, keys) {
  const file = path.join(dir, 'keys.json');

  fs.writeFileSync(`${file}.new`, `${JSON.stringify({ keys }, null, 1)}\n`,
    { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}

/** The keys of DIR, made when there are none. Array of private JWKs with the
 *  members publish, sign and foreign. */
export function loadKeys(dir) {
  const file = path.join(dir, 'keys.json');

  if (!fs.existsSync(file))
    store(dir, firstKeys());
  const { keys } = JSON.parse(fs.readFileSync(file, 'utf8'));
  if (keys.filter((k) => k.sign).length !== 1)
    throw new Error(`${file}: exactly one key must sign`);
  return keys;
}

export const signingKey = (keys) => keys.find((k) => k.sign);
export const foreignKey = (keys) => keys.find((k) => k.foreign);

/** PEM of the public half, as the victim of the HS256 trick would hold it. */
export function publicPem(jwk) {
  return createPublicKey({ key: { kty: 'RSA', n: jwk.n, e: jwk.e },
    format: 'jwk' }).export({ type: 'spki', format: 'pem' });
}

const CHANGES = {
  rotate: (keys) => [...keys.map((k) => ({ ...k, sign: false })),
    makeKey({ publish: true, sign: true })],
  'drop-old': (keys) => keys.map((k) => ({ ...k, publish: k.sign })),
  'stop-publishing': (keys) => keys.map((k) =>
    (k.sign ? { ...k, publish: false } : k)),
};

/** Apply one of the changes named on top to DIR/keys.json. */
export function changeKeys(dir, change) {
  if (!Object.hasOwn(CHANGES, change))
    throw new Error(`no such change of keys: ${change}`);
  store(dir, CHANGES[change](loadKeys(dir)));
}

if (process.argv[1] && fs.realpathSync(process.argv[1])
  === fileURLToPath(import.meta.url)) {
  const [dir, change] = process.argv.slice(2);

  if (!dir || !Object.hasOwn(CHANGES, change ?? '')) {
    console.error(`usage: keys.mjs DIR ${Object.keys(CHANGES).join('|')}`);
    process.exit(2);
  }
  changeKeys(dir, change);
}
