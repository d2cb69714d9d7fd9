// SPDX-License-Identifier: ISC
//
//   liaragent.mjs SOCKET HOW KEYFILE PUBFILE
//
// An ssh-agent that says it holds PUBFILE's key (ECDSA P-384), and signs with
// KEYFILE's or in another way that is wrong.

import { createHash, createPrivateKey, generateKeyPairSync, sign }
  from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';

const [path, how, keyFile, pubFile] = process.argv.slice(2);
const key = createPrivateKey(fs.readFileSync(keyFile));
const blob = Buffer.from(fs.readFileSync(pubFile, 'utf8').split(' ')[1],
  'base64');
let last = null;

function u32(n) {
  const b = Buffer.alloc(4);

  b.writeUInt32BE(n);
  return b;
}

function string(s) {
  const b = Buffer.from(s);

  return Buffer.concat([u32(b.length), b]);
}

function mpint(b) {
  let at = 0;

  while (at < b.length - 1 && b[at] === 0)
    at++;
  return string(b[at] & 0x80 ? Buffer.concat([Buffer.of(0), b.subarray(at)])
    : b.subarray(at));
}

function ecdsa(data, hash = 'sha384') {
  const rs = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });

  return Buffer.concat([string('ecdsa-sha2-nistp384'),
    string(Buffer.concat([mpint(rs.subarray(0, 48)),
      mpint(rs.subarray(48))]))]);
}

function signature(data) {
  let s;

  switch (how) {
    case 'other-data':
      return ecdsa(createHash('sha256').update(data).digest());
    case 'ed25519':
      return Buffer.concat([string('ssh-ed25519'), string(sign(null, data,
        generateKeyPairSync('ed25519').privateKey))]);
    case 'short':
      return ecdsa(data).subarray(0, 40);
    case 'empty':
      return Buffer.alloc(0);
    case 'nonsense':
      return Buffer.from('nothing that is a signature');
    case 'sha1':
      return ecdsa(data, 'sha1');
    case 'twice': // of what it was asked before
      s = last ?? ecdsa(data);
      last = s;
      return s;
    default:
      return ecdsa(data);
  }
}

function answer(ask) {
  if (ask[0] === 11)
    return Buffer.concat([Buffer.of(12), u32(1), string(blob), string('')]);
  if (ask[0] !== 13)
    return Buffer.of(5);
  const at = 1 + 4 + ask.readUInt32BE(1);
  const len = ask.readUInt32BE(at);

  return Buffer.concat([Buffer.of(14),
    string(signature(ask.subarray(at + 4, at + 4 + len)))]);
}

net.createServer((s) => {
  let got = Buffer.alloc(0);

  s.on('error', () => {});
  s.on('data', (d) => {
    got = Buffer.concat([got, d]);
    while (got.length >= 4 && got.length >= 4 + got.readUInt32BE(0)) {
      const end = 4 + got.readUInt32BE(0);

      s.write(string(answer(got.subarray(4, end))));
      got = got.subarray(end);
    }
  });
}).listen(path);
