#!/usr/bin/env node
// SPDX-License-Identifier: ISC
// refresh.mjs AADSSH MKSIGNINS DIR N...: what `aadssh refresh` costs over N
// sign-ins, each N on a host of its own, against the test provider on the
// same machine.  Prints for each, with tabs: N, ms, CPU ms, peak KiB, TLS
// connections, requests of the token endpoint.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('../idp/server.mjs', import.meta.url));
const TENANT = '5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77';
const CLIENT = 'b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4';
const LOOK_MS = 20; // how often the process is looked at
const HZ = 100; // of /proc/PID/stat

function ready(idp) {
  return new Promise((resolve, reject) => {
    idp.stdout.once('data', (line) =>
      resolve(String(line).split(' ')[1].trim()));
    idp.on('exit', () => reject(new Error('the provider ended')));
  });
}

function test(url, ca, method, where, body) {
  return new Promise((resolve, reject) => {
    // NB. no agent, so that each has a connection of its own.
    const options = { ca, method, agent: false };
    const req = https.request(`${url}/_test/${where}`, options, (res) => {
      let text = '';
      res.on('data', (chunk) => { text += chunk; });
      res.on('end', () => resolve(JSON.parse(text)));
    });
    req.on('error', reject);
    req.end(body && JSON.stringify(body));
  });
}

function configure(base, dir, authority) {
  const conf = `${base}/aadssh.conf`;
  const user = process.getuid() === 0 ? '[process]\nuser = root\n' : '';

  fs.mkdirSync(base, { mode: 0o755 });
  fs.writeFileSync(conf, `[idp]
tenant = ${TENANT}
client_id = ${CLIENT}
authority = ${authority}
ca_file = ${dir}/idp/ca.pem
${user}[state]
dir = ${base}/state
run = ${base}/run
[map]
domain = contoso.com
require = role:ssh.user
`, { mode: 0o644 });
  return conf;
}

async function crowd(mksignins, state, url, ca, n) {
  const users = Array.from({ length: n }, (_, i) => `user${i}@contoso.com`);
  const list = await test(url, ca, 'POST', 'mint', { users });
  const lines = list.map(({ user, oid, refresh_token: token }) =>
    `${user.split('@')[0]} ${oid} ${user} ${token} 60 session\n`).join('');
  const made = spawnSync(mksignins, [state], { input: lines,
    maxBuffer: 1 << 30 });

  if (made.status !== 0)
    throw new Error(`mksignins: ${made.stderr}`);
}

// Peak KiB and CPU ms of a process, as long as it can be seen.
function watch(pid, seen) {
  try {
    const peak = /VmHWM:\s*(\d+)/.exec(
      fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]
      .split(' ');

    if (peak) {
      seen.peak = Number(peak[1]);
      seen.cpu = (Number(stat[11]) + Number(stat[12])) * 1000 / HZ;
    }
  } catch {
    // it has just ended
  }
}

function refresh(aadssh, conf) {
  return new Promise((resolve, reject) => {
    const seen = {};
    const start = performance.now();
    const child = spawn(aadssh, ['-f', conf, 'refresh', '--json'],
      { stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setInterval(() => watch(child.pid, seen), LOOK_MS);
    let answer = '';
    let said = '';

    child.stdout.on('data', (chunk) => { answer += chunk; });
    child.stderr.on('data', (chunk) => { said += chunk; });
    child.on('close', (status) => {
      clearInterval(timer);
      if (status === 0)
        resolve({ ...seen, ms: performance.now() - start,
          counts: JSON.parse(answer) });
      else
        reject(new Error(`aadssh refresh: ${status}: ${said}`));
    });
  });
}

async function once(aadssh, mksignins, dir, url, n) {
  const base = `${dir}/refresh${n}`;
  const ca = fs.readFileSync(`${dir}/idp/ca.pem`);
  const conf = configure(base, dir, url);

  await crowd(mksignins, `${base}/state`, url, ca, n);
  await test(url, ca, 'DELETE', 'log');
  const run = await refresh(aadssh, conf);
  if (run.counts.renewed !== n)
    throw new Error(`not all were renewed: ${JSON.stringify(run.counts)}`);
  const log = await test(url, ca, 'GET', 'log');
  // NB. one connection is that of this last question.
  console.log([n, run.ms.toFixed(0), run.cpu, run.peak, log.connections - 1,
    log.counts.token].join('\t'));
}

async function main() {
  const [aadssh, mksignins, dir, ...sizes] = process.argv.slice(2);
  const idp = spawn(process.execPath, [SERVER, '--dir', `${dir}/idp`],
    { stdio: ['ignore', 'pipe', 'inherit'] });

  try {
    const url = await ready(idp);

    for (const n of sizes)
      // eslint-disable-next-line no-await-in-loop
      await once(aadssh, mksignins, dir, url, Number(n));
  } finally {
    idp.kill('SIGTERM');
  }
}

main().catch((err) => {
  console.error(`refresh.mjs: ${err.message}`);
  process.exit(1);
});
