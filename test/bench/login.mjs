#!/usr/bin/env node
// SPDX-License-Identifier: ISC
// login.mjs AADSSH DIR N: how long after the person's last click a sign-in is
// stored.  Starts the test provider (interval 1 s) and prints the N times in
// ms, sorted, in one line.  The end is when aadssh ends, after it stored.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { click } from '../idp/click.mjs';

const SERVER = fileURLToPath(new URL('../idp/server.mjs', import.meta.url));
const TENANT = '5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77';
const CLIENT = 'b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4';

// Resolves with the first match of RE in what STREAM says.
function wait(stream, re) {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (chunk) => {
      text += chunk;
      const m = re.exec(text);
      if (m)
        resolve(m);
    });
    stream.on('end', () => reject(new Error(`ended with: ${text}`)));
  });
}

function configure(dir, authority) {
  const conf = path.join(dir, 'aadssh.conf');
  const user = process.getuid() === 0 ? '[process]\nuser = root\n' : '';

  fs.writeFileSync(conf, `[idp]
tenant = ${TENANT}
client_id = ${CLIENT}
authority = ${authority}
ca_file = ${dir}/idp/ca.pem
${user}[state]
dir = ${dir}/state
[map]
domain = contoso.com
require = role:ssh.user
`, { mode: 0o644 });
  return conf;
}

async function once(aadssh, conf, ca, pub) {
  const child = spawn(aadssh, ['-f', conf, 'login', 'alice', pub, '--uid',
    '1001'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  let said = '';

  child.stderr.on('data', (chunk) => { said += chunk; });
  const [, url, code] = await wait(child.stderr,
    /(https:\/\/\S+)[^]*?\b([A-Z0-9]{8,9})\b\s*\n/);
  await click({ ca, url, code, user: 'alice@contoso.com' });
  const approved = performance.now();
  const status = await ended;
  if (status !== 0)
    throw new Error(`aadssh login: ${status}: ${said}`);
  return performance.now() - approved;
}

async function main() {
  const [aadssh, dir, n] = process.argv.slice(2);
  const idp = spawn(process.execPath, [SERVER, '--dir', `${dir}/idp`,
    '--interval', '1'], { stdio: ['ignore', 'pipe', 'inherit'] });

  try {
    const [, authority] = await wait(idp.stdout, /^ready (\S+)$/m);
    const conf = configure(dir, authority);
    const ca = fs.readFileSync(`${dir}/idp/ca.pem`);
    const times = [];

    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f',
      `${dir}/login`]);
    // NB. the first fetches the tenant keys and is not counted.
    for (let i = 0; i <= Number(n); i += 1) {
      // eslint-disable-next-line no-await-in-loop
      const ms = await once(aadssh, conf, ca, `${dir}/login.pub`);
      if (i > 0)
        times.push(ms);
    }
    console.log(times.sort((a, b) => a - b).map((t) => t.toFixed(0)).join(' '));
  } finally {
    idp.kill('SIGTERM');
  }
}

main().catch((err) => {
  console.error(`login.mjs: ${err.message}`);
  process.exit(1);
});
