// SPDX-License-Identifier: ISC
// /_test/fault, /_test/log, /_test/keys and /_test/mint: how a test sets
// faults, sees what was asked, rotates keys, and gets refresh tokens.

import { performance } from 'node:perf_hooks';
import { readBody } from './form.mjs';
import { changeKeys } from './keys.mjs';
import { mint } from './mint.mjs';

const LOG_MAX = 10000; // requests kept; a test resets the log
const SECRET = new Set(['device_code', 'refresh_token', 'client_secret',
  'client_assertion', 'code', 'assertion', 'password']);
const HEADERS = ['accept', 'accept-encoding', 'content-type', 'user-agent',
  'client-request-id', 'return-client-request-id', 'authorization', 'cookie'];

function hide(form) {
  return Object.fromEntries(Object.entries(form ?? {}).map(([k, v]) =>
    [k, SECRET.has(k) ? `(${[v].flat().join('').length} characters)` : v]));
}

/** What was asked, without secrets. */
export class Log {
  #start = performance.now();

  #counts = {};

  #requests = [];

  #connections = 0;

  connected() {
    this.#connections += 1;
  }

  reset() {
    this.#connections = 0;
    this.#counts = {};
    this.#requests = [];
  }

  get() {
    return { counts: this.#counts, connections: this.#connections,
      requests: this.#requests };
  }

  add(ctx) {
    const { endpoint, tenant, form } = ctx.state;
    const name = endpoint ?? 'page';
    const headers = Object.fromEntries(HEADERS
      .filter((h) => ctx.headers[h] !== undefined)
      .map((h) => [h, /authorization|cookie/.test(h) ? '(hidden)'
        : ctx.headers[h]]));
    const entry = { at_ms: Math.round(performance.now() - this.#start),
      endpoint: name, method: ctx.method, tenant, headers,
      path: endpoint ? ctx.originalUrl : ctx.path,
      form: endpoint ? hide(form) : undefined };

    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
    if (this.#requests.push(entry) > LOG_MAX)
      this.#requests.shift();
    return entry;
  }
}

/** Koa middleware that writes every request but /_test's into LOG. */
export function logMiddleware(log) {
  return async (ctx, next) => {
    const entry = log.add(ctx);

    try {
      await next();
    } finally {
      entry.fault = ctx.state.fault;
      entry.status = ctx.respond === false ? undefined : ctx.status;
      entry.error = ctx.body?.error;
    }
  };
}

/** Koa middleware for /_test/...; RELOAD() reads the keys again. */
export function testApi(conf, faults, log, reload, provider) {
  const json = async (ctx) => JSON.parse(await readBody(ctx));
  const routes = {
    'GET /_test/fault': () => faults.list(),
    'POST /_test/fault': async (ctx) => {
      faults.add(await json(ctx));
      return faults.list();
    },
    'DELETE /_test/fault': () => {
      faults.clear();
      return [];
    },
    'POST /_test/release': () => ({ released: faults.release() }),
    'GET /_test/log': () => log.get(),
    'DELETE /_test/log': () => {
      log.reset();
      return log.get();
    },
    'POST /_test/keys': async (ctx) => {
      changeKeys(conf.dir, (await json(ctx)).change);
      reload();
      return { changed: true };
    },
    'POST /_test/mint': async (ctx) =>
      mint(provider, conf, (await json(ctx)).users),
  };

  return async (ctx, next) => {
    if (!ctx.path.startsWith('/_test/'))
      return next();
    const route = routes[`${ctx.method} ${ctx.path}`];
    if (!route)
      ctx.throw(404);
    try {
      ctx.body = await route(ctx);
    } catch (err) {
      ctx.status = 400;
      ctx.body = { error: err.message };
    }
    return undefined;
  };
}
