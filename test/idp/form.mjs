// SPDX-License-Identifier: ISC
// Request bodies: bounded, read once.

import querystring from 'node:querystring';

const BODY_MAX = 1 << 20; // the tests' faults may carry a big answer

/** Body of the request as text; kept as ctx.req.body, where oidc-provider
 *  looks for a body that somebody read before it. */
export async function readBody(ctx) {
  const parts = [];
  let size = 0;

  for await (const part of ctx.req) {
    size += part.length;
    if (size > BODY_MAX)
      ctx.throw(413);
    parts.push(part);
  }
  ctx.req.body = Buffer.concat(parts).toString('utf8');
  return ctx.req.body;
}

/** Body of a form as {name: value}; a name that came twice has an array. */
export async function readForm(ctx) {
  return { ...querystring.parse(await readBody(ctx)) };
}
