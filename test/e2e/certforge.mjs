#!/usr/bin/env node
// SPDX-License-Identifier: ISC
// Certificates that no tool makes, of an authority whose key we have.
//   certforge.mjs key NAME
//	a new Ed25519 key: NAME.pem for us, NAME and NAME.pub for ssh-keygen
//   certforge.mjs cert NAME FILE FIELD=JSON...
//	FILE is an ed25519 certificate that ssh-keygen made with that key:
//	change fields (serial, type, keyId, principals, validAfter,
//	validBefore; authority: another FILE whose blob becomes the
//	authority's key), and sign again

import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const u32 = (n) => {
  const b = Buffer.alloc(4);

  b.writeUInt32BE(n);
  return b;
};
const u64 = (n) => {
  const b = Buffer.alloc(8);

  b.writeBigUInt64BE(BigInt(n));
  return b;
};
const string = (s) => {
  const b = Buffer.from(s);

  return Buffer.concat([u32(b.length), b]);
};
const blobOf = (file) =>
  Buffer.from(readFileSync(file, 'utf8').split(' ')[1], 'base64');

function makeKey(name) {
  const { privateKey } = generateKeyPairSync('ed25519');
  const jwk = privateKey.export({ format: 'jwk' });
  const seed = Buffer.from(jwk.d, 'base64url');
  const pub = Buffer.from(jwk.x, 'base64url');
  const blob = Buffer.concat([string('ssh-ed25519'), string(pub)]);
  const check = Buffer.concat([u32(7), u32(7)]);
  let secret = Buffer.concat([check, blob, string(Buffer.concat([seed, pub])),
    string('forge')]);

  for (let i = 1; secret.length % 8 !== 0; i++)
    secret = Buffer.concat([secret, Buffer.from([i])]);
  const all = Buffer.concat([Buffer.from('openssh-key-v1\0'), string('none'),
    string('none'), string(''), u32(1), string(blob), string(secret)]);
  const lines = all.toString('base64').replace(/.{70}/g, '$&\n');

  writeFileSync(name, '-----BEGIN OPENSSH PRIVATE KEY-----\n'
    + `${lines}\n-----END OPENSSH PRIVATE KEY-----\n`, { mode: 0o600 });
  writeFileSync(`${name}.pub`, `ssh-ed25519 ${blob.toString('base64')} forge\n`);
  writeFileSync(`${name}.pem`,
    privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
}

// The fields in the order of the wire; a number is that many bytes.
const FIELDS = [['name'], ['nonce'], ['key'], ['serial', 8], ['type', 4],
  ['keyId'], ['principals'], ['validAfter', 8], ['validBefore', 8],
  ['critical'], ['extensions'], ['reserved'], ['authority'], ['signature']];

function takeApart(blob) {
  const fields = {};
  let at = 0;

  for (const [name, fixed] of FIELDS) {
    const length = fixed ?? blob.readUInt32BE(at);

    at += fixed === undefined ? 4 : 0;
    fields[name] = blob.subarray(at, at + length);
    at += length;
  }
  return fields;
}

const encode = {
  serial: u64,
  type: u32,
  keyId: (s) => Buffer.from(s),
  principals: (list) => Buffer.concat(list.map((s) => string(s))),
  validAfter: u64,
  validBefore: u64,
  authority: blobOf,
};

function forge(name, file, changes) {
  const fields = takeApart(blobOf(file));
  const key = createPrivateKey(readFileSync(`${name}.pem`));

  for (const change of changes) {
    const [, field, json] = /^(\w+)=(.*)$/s.exec(change);

    fields[field] = encode[field](JSON.parse(json));
  }
  const body = Buffer.concat(FIELDS.slice(0, -1).map(([f, fixed]) =>
    (fixed === undefined ? string(fields[f]) : fields[f])));
  const signature = Buffer.concat([string('ssh-ed25519'),
    string(sign(null, body, key))]);
  const blob = Buffer.concat([body, string(signature)]);

  writeFileSync(file, `${fields.name} ${blob.toString('base64')} forged\n`);
}

const [what, name, ...rest] = process.argv.slice(2);

if (what === 'key' && rest.length === 0)
  makeKey(name);
else if (what === 'cert' && rest.length > 0)
  forge(name, rest[0], rest.slice(1));
else
  process.exit(2);
