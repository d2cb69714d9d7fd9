// SPDX-License-Identifier: ISC
// Faults on demand: a queue of "the next N requests of this endpoint go
// wrong so". README.md lists the kinds.

import { setTimeout as sleep } from 'node:timers/promises';
import { Readable, pipeline } from 'node:stream';
import zlib from 'node:zlib';
import { entraError } from './entra.mjs';

const MIB = 1 << 20;
const ENDPOINTS = new Set(['devicecode', 'token', 'keys', 'discovery']);

// kind -> AADSTS number; ones that need more stand in named()
const NAMED = {
  declined: 65004,
  expired_token: 70020,
  bad_verification_code: 70018,
  not_public_client: 7000218,
  interaction_required: 50076,
  throttled: 90055,
  unavailable: 90033,
};

function answer(ctx, { status = 200, headers = {}, body = '' }) {
  ctx.status = status;
  ctx.set('Content-Type', 'application/json; charset=utf-8');
  ctx.body = typeof body === 'string' ? body : JSON.stringify(body);
  ctx.set(headers);
}

function named(ctx, conf, fault, code, over = {}) {
  const reply = entraError(conf.authority, code, ctx.headers,
    { ...over, ...fault });

  if (fault.retry_after !== undefined)
    reply.headers['Retry-After'] = String(fault.retry_after);
  answer(ctx, reply);
}

function raw(ctx, status, headers, stream) {
  ctx.respond = false;
  ctx.res.writeHead(status, { 'Content-Type': 'application/json',
    ...headers });
  pipeline(stream, ctx.res, () => {});
}

function* repeat(head, part, tail, bytes) {
  let left = bytes - head.length - tail.length;

  yield head;
  for (; left > 0; left -= part.length)
    yield part;
  yield tail;
}

let held = []; // who goes on at release()

const zeros = (bytes) => Readable.from(repeat('{"keys":[',
  Buffer.alloc(65536, ' '), ']}', bytes));

function reset(ctx) {
  const { socket } = ctx.req;

  ctx.respond = false;
  (socket._parent ?? socket).resetAndDestroy();
}

async function drip(ctx, fault, next) {
  await next();
  const body = Buffer.from(typeof ctx.body === 'string' ? ctx.body
    : JSON.stringify(ctx.body));
  const pause = fault.ms ?? 100;

  raw(ctx, ctx.status, { 'Content-Length': body.length },
    Readable.from((async function* bytes() {
      for (const byte of body) {
        yield Buffer.of(byte);
        await sleep(pause);
      }
    }())));
}

async function edit(ctx, fault, next) {
  await next();
  if (fault.status)
    ctx.status = fault.status;
  if (typeof ctx.body !== 'object')
    return;
  const body = { ...ctx.body, ...fault.set };
  for (const name of fault.remove ?? [])
    delete body[name];
  for (const name of fault.strings ?? [])
    body[name] = String(body[name]);
  ctx.body = body;
  ctx.set(fault.headers ?? {});
}

const KINDS = {
  aadsts: (ctx, f, next, conf) => named(ctx, conf, f, f.code),
  slow_down: (ctx, f, next, conf) => named(ctx, conf, f, 0,
    { error: 'slow_down', text: 'polled too often' }),
  access_denied: (ctx, f, next, conf) => named(ctx, conf, f, 65004,
    { error: 'access_denied' }),
  answer: (ctx, f) => answer(ctx, f),
  garbage: (ctx) => answer(ctx, { headers: { 'Content-Type': 'text/html' },
    body: '<html><body>Please sign in to this hotel\'s network</body></html>',
  }),
  hang: (ctx) => { ctx.respond = false; },
  reset,
  delay: async (ctx, f, next) => { await sleep(f.ms ?? 1000); await next(); },
  hold: async (ctx, f, next) => {
    await new Promise((go) => { held.push(go); });
    await next();
  },
  drip,
  edit,
  redirect: (ctx, f) => answer(ctx, { status: f.status ?? 302,
    headers: { Location: f.location ?? 'https://login.example.test/' } }),
  endless: (ctx) => raw(ctx, 200, {}, zeros(Infinity)),
  huge: (ctx, f) => raw(ctx, 200, {}, zeros(f.bytes ?? 16 * MIB)),
  gzip_bomb: (ctx, f) => raw(ctx, 200, { 'Content-Encoding': 'gzip' },
    zeros(f.bytes ?? 256 * MIB).pipe(zlib.createGzip({ level: 9 }))),
  deep: (ctx, f) => answer(ctx, { body: '['.repeat(f.depth ?? 100000)
    + ']'.repeat(f.depth ?? 100000) }),
  truncated: async (ctx, f, next) => {
    await next();
    const body = Buffer.from(JSON.stringify(ctx.body));

    ctx.respond = false;
    ctx.res.writeHead(ctx.status, { 'Content-Type': 'application/json',
      'Content-Length': body.length });
    ctx.res.write(body.subarray(0, body.length >> 1),
      () => ctx.res.destroy());
  },
};
for (const [kind, code] of Object.entries(NAMED))
  KINDS[kind] = (ctx, f, next, conf) => named(ctx, conf, f, code);

function check(fault) {
  if (!ENDPOINTS.has(fault?.endpoint))
    throw new Error(`no such endpoint: ${fault?.endpoint}`);
  if (!Object.hasOwn(KINDS, fault.kind ?? ''))
    throw new Error(`no such kind of fault: ${fault.kind}`);
  if (!Number.isInteger(fault.times ?? 1) || fault.times < 0)
    throw new Error('times must be a number, 0 meaning always');
  return { ...fault, left: fault.times ?? 1, after: fault.after ?? 0 };
}

/** The queue. add() takes one fault or a list; take() gives the fault of the
 *  next request of ENDPOINT, counting it. */
export class Faults {
  #queue = [];

  add(faults) {
    this.#queue.push(...[faults].flat().map(check));
  }

  clear() {
    this.#queue = [];
  }

  /** Let go on what "hold" keeps; how many there were. */
  release() {
    const now = held;

    held = [];
    for (const go of now)
      go();
    return now.length;
  }

  list() {
    return this.#queue;
  }

  take(endpoint) {
    const fault = this.#queue.find((f) => f.endpoint === endpoint);

    if (!fault)
      return undefined;
    if (fault.after > 0) {
      fault.after -= 1;
      return undefined;
    }
    if (fault.left > 0) {
      fault.left -= 1;
      if (fault.left === 0)
        this.#queue.splice(this.#queue.indexOf(fault), 1);
    }
    return fault;
  }
}

/** Koa middleware: applies the next fault of ctx.state.endpoint, if any. */
export function faultMiddleware(conf, faults) {
  return async (ctx, next) => {
    const fault = ctx.state.endpoint && faults.take(ctx.state.endpoint);

    if (!fault)
      return next();
    ctx.state.fault = fault.kind;
    return KINDS[fault.kind](ctx, fault, next, conf);
  };
}
