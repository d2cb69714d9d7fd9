// SPDX-License-Identifier: ISC
// Entra's endpoints in front of oidc-provider: which tenant, which document,
// and the provider's answers in Entra's dress.

import { deviceAnswer, discovery, entraError, jwks, nativeCode, tokenAnswer }
  from './entra.mjs';
import { readForm } from './form.mjs';
import { DEVICE_PAGE, apiScopes } from './provider.mjs';
import { findUser, userClaims } from './users.mjs';

const ALIASES = new Set(['common', 'organizations']);
const PATHS = [
  [/^\/([^/]+)\/oauth2\/v2\.0\/devicecode$/, 'devicecode', 'POST'],
  [/^\/([^/]+)\/oauth2\/v2\.0\/token$/, 'token', 'POST'],
  [/^\/([^/]+)\/discovery\/v2\.0\/keys$/, 'keys', 'GET'],
  [/^\/([^/]+)\/v2\.0\/\.well-known\/openid-configuration$/, 'discovery',
    'GET'],
];
const OIDC_SCOPES = ['openid', 'profile', 'email', 'offline_access'];

/** Sets ctx.state.endpoint and ctx.state.tenant; reads a form once, as
 *  ctx.state.form. */
export async function recognise(ctx, next) {
  for (const [pattern, endpoint, method] of PATHS) {
    const found = pattern.exec(ctx.path);

    if (found && ctx.method === method) {
      Object.assign(ctx.state, { endpoint, tenant: found[1] });
      if (method === 'POST')
        ctx.state.form = await readForm(ctx);
    }
  }
  // a person who enters a code is nobody yet, whatever the browser kept
  if (ctx.path === DEVICE_PAGE && ctx.method === 'GET')
    delete ctx.req.headers.cookie;
  await next();
}

function refuse(ctx, conf, code, over) {
  const { status, headers, body } = entraError(conf.authority, code,
    ctx.headers, over);

  ctx.status = status;
  ctx.set(headers);
  ctx.body = body;
}

function scopesKnown(conf, scope) {
  const known = new Set([...OIDC_SCOPES, ...apiScopes(conf.client)]);

  return typeof scope === 'string'
    && scope.split(' ').every((s) => known.has(s));
}

// What Entra refuses and oidc-provider would not; AADSTS number or undefined.
function early(conf, { endpoint, form }) {
  if (endpoint === 'devicecode' && form.scope === undefined)
    return 900144;
  if (form.scope !== undefined && !scopesKnown(conf, form.scope))
    return 70011;
  return undefined;
}

function clientInfo(conf, ctx) {
  const user = ctx.state.form.client_info === '1'
    && findUser(conf.dir, ctx.oidc.account.accountId);

  return user ? { uid: userClaims(user, conf.tenant, conf.client,
    new Set(['profile'])).oid, utid: conf.tenant } : undefined;
}

function dress(ctx, conf) {
  if (ctx.status === 200 && ctx.state.endpoint === 'devicecode')
    ctx.body = deviceAnswer(ctx.body, `${conf.authority}${DEVICE_PAGE}`,
      conf.interval);
  else if (ctx.status === 200)
    ctx.body = tokenAnswer(ctx.body, clientInfo(conf, ctx));
  else
    refuse(ctx, conf, nativeCode(ctx.state.error ?? ctx.body,
      Boolean(ctx.state.form.client_secret || ctx.headers.authorization)));
}

/** Koa middleware: answers keys and discovery, and dresses the provider's
 *  answers to devicecode and token. */
export function endpoints(conf) {
  return async (ctx, next) => {
    const { endpoint, tenant } = ctx.state;
    const alias = ALIASES.has(tenant);

    if (!endpoint)
      return next();
    if (!alias && tenant !== conf.tenant)
      return refuse(ctx, conf, 90002);
    if (endpoint === 'keys') {
      ctx.body = jwks(conf.keys, conf.authority, tenant, alias);
      return undefined;
    }
    if (endpoint === 'discovery') {
      ctx.body = discovery(conf.authority, tenant, alias);
      return undefined;
    }
    const code = early(conf, ctx.state);
    if (code)
      return refuse(ctx, conf, code);
    // the grant type's short name is what Microsoft's own libraries send
    ctx.req.body = ctx.req.body.replace(/(^|&)grant_type=device_code(?=&|$)/,
      '$1grant_type=urn:ietf:params:oauth:grant-type:device_code');
    ctx.path = `/${conf.tenant}/oauth2/v2.0/${endpoint}`;
    await next();
    return dress(ctx, conf);
  };
}
