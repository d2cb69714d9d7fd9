// SPDX-License-Identifier: ISC
// What the browser goes through between code and done: pick an account, then
// confirm. One path, two prompts of oidc-provider (login, consent).

import { confirmPage, errorPage, pickPage } from './pages.mjs';
import { findUser, loadUsers, refusal } from './users.mjs';
import { readForm } from './form.mjs';

const PATH = /^\/common\/login\/[\w-]+$/;

/** Path of the interaction UID. */
export const signinPath = (uid) => `/common/login/${uid}`;

function visible(dir) {
  return Object.entries(loadUsers(dir)).filter(([, u]) => !u.hidden)
    .map(([name, u]) => ({ name, title: u.claims?.name ?? name,
      note: u.note }));
}

async function pick(ctx, conf, provider, form) {
  const user = form && findUser(conf.dir, form.user ?? '');

  if (!form || !user) {
    ctx.body = pickPage(ctx.path, conf.app, visible(conf.dir), form
      && `AADSTS50034: the account ${form.user ?? ''} does not exist.`);
    return;
  }
  const code = refusal(user, 'page');
  if (code) {
    ctx.body = errorPage('Sorry, but we cannot sign you in',
      `AADSTS${code}: access is refused for ${form.user}.`);
    return;
  }
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res,
    { login: { accountId: form.user, remember: false } });
}

async function grantAll(provider, { session, params, prompt }) {
  const grant = new provider.Grant({ accountId: session.accountId,
    clientId: params.client_id });
  const { missingOIDCScope, missingResourceScopes } = prompt.details;

  if (missingOIDCScope)
    grant.addOIDCScope(missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {}))
    grant.addResourceScope(resource, scopes.join(' '));
  return grant.save();
}

async function confirm(ctx, conf, provider, details, form) {
  let result;

  if (form?.answer === 'continue')
    result = { consent: { grantId: await grantAll(provider, details) } };
  else if (form?.answer === 'cancel')
    result = { error: 'access_denied', error_description: 'cancelled' };
  if (!result) {
    const code = await provider.DeviceCode.find(details.deviceCode,
      { ignoreExpiration: true, ignoreSessionBinding: true });

    ctx.body = confirmPage(ctx.path, conf.app, code?.deviceInfo.host ?? '?',
      details.session.accountId);
    return;
  }
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, result,
    { mergeWithLastSubmission: !result.error });
}

/** Koa middleware that serves the sign-in pages. */
export function signin(conf, provider) {
  return async (ctx, next) => {
    if (!PATH.test(ctx.path))
      return next();
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    const form = ctx.method === 'POST' ? await readForm(ctx) : undefined;
    let details;
    try {
      details = await provider.interactionDetails(ctx.req, ctx.res);
    } catch {
      ctx.status = 400;
      ctx.body = errorPage('This sign-in is over',
        'Start again with the code on your device.');
      return undefined;
    }
    if (details.prompt.name === 'login')
      return pick(ctx, conf, provider, form);
    return confirm(ctx, conf, provider, details, form);
  };
}
