#!/usr/bin/env node
// SPDX-License-Identifier: ISC
// An OpenID provider that looks like Microsoft Entra, for aadssh's tests.
// README.md tells how to use it.

import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { serverCertificate } from './certs.mjs';
import { endpoints, recognise } from './endpoints.mjs';
import { Faults, faultMiddleware } from './faults.mjs';
import { loadKeys } from './keys.mjs';
import { signin } from './signin.mjs';
import { Log, logMiddleware, testApi } from './testapi.mjs';

const USAGE = `usage: server.mjs --dir DIR [--port N] [--host ADDRESS]
  [--name NAME] [--issuer-authority URL] [--tenant GUID] [--client GUID]
  [--app NAME] [--interval S] [--expires S]`;

// stdout carries the ready line only; oidc-provider's advice for production
// (no memory store, no body read before it) does not apply here
console.info = () => {};
console.warn = () => {};
const { makeProvider } = await import('./provider.mjs');

function options() {
  const option = (value) => ({ type: 'string', default: value });
  const { values } = parseArgs({ options: {
    dir: { type: 'string' },
    port: option('0'),
    host: option('127.0.0.1'),
    name: option('localhost'),
    tenant: option('5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77'),
    client: option('b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4'),
    app: option('aadssh'),
    interval: option('5'),
    expires: option('900'),
    'issuer-authority': { type: 'string' },
  } });

  for (const name of ['port', 'interval', 'expires']) {
    if (!/^\d{1,6}$/.test(values[name]))
      throw new Error(`--${name} must be a number`);
    values[name] = Number(values[name]);
  }
  if (!values.dir)
    throw new Error('--dir is missing');
  return values;
}

function listen(server, conf) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(conf.port, conf.host, () => resolve(server.address().port));
  });
}

async function main() {
  const conf = options();

  fs.mkdirSync(conf.dir, { recursive: true, mode: 0o700 });
  const tls = serverCertificate(conf.dir, conf.name);
  const faults = new Faults();
  const log = new Log();
  let handler = (req, res) => res.destroy(); // until the port is known
  const server = https.createServer(tls, (req, res) => handler(req, res));
  server.on('secureConnection', () => log.connected());
  const port = await listen(server, conf);
  const url = `https://${conf.name}:${port}`;

  conf.authority = (conf['issuer-authority'] ?? url).replace(/\/+$/, '');
  conf.cookieKeys = [randomBytes(32).toString('hex')];
  const reload = () => {
    conf.keys = loadKeys(conf.dir);
    const provider = makeProvider(conf);
    const failed = (ctx, err) => {
      ctx.state.error = err;
      if (!err.expose)
        console.error(err);
    };

    for (const event of ['grant.error', 'device_authorization.error',
      'server_error'])
      provider.on(event, failed);
    provider.app.on('error', (err) => { // faults and leaving clients are normal
      if (!/^(ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/.test(err.code))
        console.error(err);
    });
    provider.use(testApi(conf, faults, log, reload, provider));
    provider.use(recognise);
    provider.use(logMiddleware(log));
    provider.use(faultMiddleware(conf, faults));
    provider.use(endpoints(conf));
    provider.use(signin(conf, provider));
    handler = provider.callback();
  };
  reload();

  process.on('SIGHUP', () => {
    try {
      reload();
    } catch (err) {
      console.error(`idp: keys not read: ${err.message}`);
    }
  });
  for (const signal of ['SIGTERM', 'SIGINT'])
    process.on(signal, () => process.exit(0));
  fs.writeFileSync(path.join(conf.dir, 'port'), `${port}\n`);
  console.log(`ready ${url}`);
}

main().catch((err) => {
  console.error(`idp: ${err.message}\n${USAGE}`);
  process.exit(1);
});
