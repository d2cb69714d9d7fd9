// SPDX-License-Identifier: ISC
// A small HTTPS client with cookies, for click.mjs and selftest.mjs.

import https from 'node:https';

const TIMEOUT_MS = 20000;
const REDIRECTS_MAX = 10;

class Cookies {
  #jar = new Map();

  store(url, lines) {
    for (const line of lines ?? []) {
      const [pair, ...attributes] = line.split(/;\s*/);
      const name = pair.slice(0, pair.indexOf('='));
      const get = (key) => attributes.find((a) =>
        a.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
      const path = get('path') ?? '/';
      const expires = get('expires');
      const key = `${url.host} ${path} ${name}`;

      if (expires && new Date(expires) <= new Date())
        this.#jar.delete(key);
      else
        this.#jar.set(key, { host: url.host, path, pair });
    }
  }

  header(url) {
    return [...this.#jar.values()].filter(({ host, path }) =>
      host === url.host && (url.pathname === path || path === '/'
        || url.pathname.startsWith(`${path}/`)))
      .map(({ pair }) => pair).join('; ');
  }
}

/** One request: {status, headers, body}. BODY, an object, goes as a form; a
 *  string as JSON. */
export function request(url, { ca, method, headers = {}, body } = {}) {
  const text = typeof body === 'object'
    ? new URLSearchParams(body).toString() : body;
  const type = typeof body === 'object'
    ? 'application/x-www-form-urlencoded' : 'application/json';

  return new Promise((resolve, reject) => {
    const req = https.request(url, {
      ca,
      agent: false,
      autoSelectFamily: true,
      method: method ?? (text === undefined ? 'GET' : 'POST'),
      headers: { ...(text === undefined ? {} : { 'Content-Type': type,
        'Content-Length': Buffer.byteLength(text) }), ...headers },
      timeout: TIMEOUT_MS,
    }, (res) => {
      const parts = [];

      res.on('data', (part) => parts.push(part));
      res.on('error', reject);
      res.on('aborted', () => reject(new Error('answer cut off')));
      res.on('end', () => resolve({ status: res.statusCode,
        headers: res.headers, body: Buffer.concat(parts).toString() }));
    });

    req.on('timeout', () => req.destroy(new Error('no answer in time')));
    req.on('error', reject);
    req.end(text);
  });
}

/** Like a browser: keeps cookies, follows redirects on the same host. */
export class Browser {
  #cookies = new Cookies();

  constructor(ca) {
    this.ca = ca;
  }

  async open(address, form) {
    let url = new URL(address);
    let body = form;

    for (let hop = 0; hop < REDIRECTS_MAX; hop++) {
      const res = await request(url, { ca: this.ca, body, headers: {
        Accept: 'text/html', Cookie: this.#cookies.header(url) } });

      this.#cookies.store(url, res.headers['set-cookie']);
      if (res.status < 300 || res.status > 399)
        return { ...res, url };
      const to = new URL(res.headers.location, url);
      if (to.host !== url.host)
        throw new Error(`redirect to another host: ${to.host}`);
      url = to;
      body = undefined;
    }
    throw new Error('too many redirects');
  }
}
