// SPDX-License-Identifier: ISC
// Private CA and server certificate in a directory, made once with openssl(1).

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const CA_DAYS = '3650';
const SERVER_DAYS = '397';
const NAMES = ['localhost', 'login.microsoftonline.com', 'login.example.test'];
const ADDRESSES = ['127.0.0.1', '::1'];

function openssl(...args) {
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

function ecKey(file) {
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-out', file);
  fs.chmodSync(file, 0o600);
}

function makeCa(dir) {
  ecKey(path.join(dir, 'ca.key'));
  openssl('req', '-x509', '-new', '-sha256', '-days', CA_DAYS,
    '-key', path.join(dir, 'ca.key'), '-out', path.join(dir, 'ca.pem'),
    '-subj', '/O=aadssh tests/CN=aadssh test CA',
    '-addext', 'keyUsage=critical,keyCertSign,cRLSign');
}

function makeServer(dir, names) {
  const ext = path.join(dir, 'server.ext');
  const csr = path.join(dir, 'server.csr');
  const san = [...names.map((n) => `DNS:${n}`),
    ...ADDRESSES.map((a) => `IP:${a}`)].join(',');

  ecKey(path.join(dir, 'server.key'));
  openssl('req', '-new', '-sha256', '-key', path.join(dir, 'server.key'),
    '-out', csr, '-subj', `/O=aadssh tests/CN=${names[0]}`);
  fs.writeFileSync(ext, [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=serverAuth',
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
    `subjectAltName=${san}`, ''].join('\n'));
  openssl('x509', '-req', '-sha256', '-days', SERVER_DAYS, '-in', csr,
    '-CA', path.join(dir, 'ca.pem'), '-CAkey', path.join(dir, 'ca.key'),
    '-CAcreateserial', '-extfile', ext, '-out', path.join(dir, 'server.pem'));
  fs.rmSync(ext);
  fs.rmSync(csr);
}

function serverUsable(dir, name) {
  const file = path.join(dir, 'server.pem');

  if (!fs.existsSync(file))
    return false;
  const cert = new X509Certificate(fs.readFileSync(file));
  const ca = new X509Certificate(fs.readFileSync(path.join(dir, 'ca.pem')));
  const named = cert.checkHost(name) !== undefined
    || cert.checkIP(name) !== undefined;
  return named && new Date(cert.validTo) > new Date()
    && cert.verify(ca.publicKey);
}

/** Certificate and key to serve NAME with; DIR/ca.pem is what to trust. */
export function serverCertificate(dir, name) {
  if (!fs.existsSync(path.join(dir, 'ca.pem')))
    makeCa(dir);
  if (!serverUsable(dir, name)) {
    const isAddress = ADDRESSES.includes(name);
    makeServer(dir, [...new Set(isAddress ? NAMES : [name, ...NAMES])]);
  }
  return {
    cert: fs.readFileSync(path.join(dir, 'server.pem')),
    key: fs.readFileSync(path.join(dir, 'server.key')),
  };
}
