// SPDX-License-Identifier: ISC
// npm oidc-provider, set up as one Entra tenant with one public client. It
// owns the device flow's state, the grants, refresh and the signatures.

import os from 'node:os';
import { errors, interactionPolicy, Provider } from 'oidc-provider';
import { isHostile, spoil } from './hostile.mjs';
import { signingKey } from './keys.mjs';
import { codePage, donePage, errorPage } from './pages.mjs';
import { signinPath } from './signin.mjs';
import { Store } from './store.mjs';
import { findUser, refusal, userClaims } from './users.mjs';

export const DEVICE_PAGE = '/common/oauth2/deviceauth';
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const ID_TOKEN_TTL = 3900; // 65 min, as recorded from Entra
const REFRESH_TTL = 90 * 86400;
const OPAQUE_BITS = 1200; // device codes of 200 characters, as Entra's

/** Scopes of the application's own API, in all their spellings. */
export function apiScopes(client) {
  return [`api://${client}`, client]
    .flatMap((id) => [`${id}/Ssh.Login`, `${id}/.default`]);
}

const CODE_ERRORS = {
  NoCodeError: 'Enter the code displayed on your device.',
  NotFoundError: 'That code didn\'t work. Check the code and try again.',
  ExpiredError: 'That code is expired. Start again on your device.',
  AlreadyUsedError: 'AADSTS90120: that code was used already.',
};

function renderCode(ctx, form, out, err) {
  ctx.type = 'html';
  if (err?.name === 'AbortedError')
    ctx.body = errorPage('You cancelled the sign-in',
      'You may now close this window.');
  else
    ctx.body = codePage(DEVICE_PAGE, ctx.oidc.session.state.secret,
      err && (CODE_ERRORS[err.name] ?? `${out.error_description}.`));
}

function aadstsError(code) {
  const err = new errors.CustomOIDCProviderError('invalid_grant', 'refused');

  err.aadsts = code;
  return err;
}

function findAccount(conf) {
  return async (ctx, name) => {
    const user = findUser(conf.dir, name);

    if (!user)
      throw aadstsError(50034);
    if (ctx.oidc.route === 'token') {
      const code = refusal(user,
        ctx.oidc.params.grant_type === 'refresh_token' ? 'refresh' : 'poll');
      if (code)
        throw aadstsError(code);
    }
    return { accountId: name, user, claims: async () => ({ sub: name }) };
  };
}

function accessToken(conf) {
  return (ctx, token, parts) => {
    const user = findUser(conf.dir, token.accountId);
    const { iat, exp, iss, aud, scope } = parts.payload;

    parts.header = { typ: 'JWT', kid: signingKey(conf.keys).kid };
    parts.payload = {
      aud, iss, iat, nbf: iat, exp, azp: conf.client, azpacr: '0',
      scp: [...new Set(scope.split(' ').map((s) => s.split('/').pop()))]
        .join(' ').replace('.default', 'Ssh.Login'),
      ...userClaims(user, conf.tenant, conf.client, new Set(['profile'])),
    };
  };
}

function deviceInfo(ctx) {
  const local = /^(::1|(::ffff:)?127\.)/.test(ctx.ip);

  return { host: local ? os.hostname() : ctx.ip };
}

// Entra asks for the account every time, also in the same browser.
function policy() {
  const { Check, base } = interactionPolicy;
  const prompts = base();

  prompts.get('login').checks.add(new Check('pick', 'pick an account',
    (ctx) => !ctx.oidc.result?.login));
  return prompts;
}

function configuration(conf) {
  const own = apiScopes(conf.client);

  return {
    acrValues: [],
    adapter: Store,
    clients: [{
      client_id: conf.client,
      client_name: conf.app,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: [DEVICE_GRANT, 'refresh_token'],
      response_types: [],
      redirect_uris: [],
    }],
    cookies: { keys: conf.cookieKeys },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '*********',
        deviceInfo,
        userCodeInputSource: renderCode,
        successSource: async (ctx) => {
          ctx.type = 'html';
          ctx.body = donePage(conf.app, ctx.oidc.deviceCode.deviceInfo.host);
        },
      },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, client, oneOf) => oneOf
          ?? (own.some((s) => ctx.oidc.requestParamScopes.has(s))
            ? `api://${conf.client}` : undefined),
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: own.join(' '),
          audience: conf.client,
          accessTokenFormat: 'jwt',
        }),
      },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    findAccount: findAccount(conf),
    formats: {
      bitsOfOpaqueRandomness: OPAQUE_BITS,
      customizers: { jwt: accessToken(conf) },
    },
    interactions: {
      policy: policy(),
      url: (ctx, interaction) => signinPath(interaction.uid),
    },
    jwks: { keys: [{ ...signingKey(conf.keys), alg: 'RS256' }] },
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = errorPage('Something went wrong',
        `${out.error}: ${out.error_description}`);
    },
    responseTypes: ['code'],
    routes: {
      code_verification: DEVICE_PAGE,
      device_authorization: `/${conf.tenant}/oauth2/v2.0/devicecode`,
      token: `/${conf.tenant}/oauth2/v2.0/token`,
    },
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    ttl: {
      AccessToken: () => 3600 + Math.floor(Math.random() * 1800),
      DeviceCode: conf.expires,
      Grant: REFRESH_TTL,
      IdToken: ID_TOKEN_TTL,
      Interaction: 3600,
      RefreshToken: REFRESH_TTL,
      Session: 3600,
    },
  };
}

// Entra's claims instead of OpenID's standard ones, no at_hash from the token
// endpoint, and the hostile tokens of some users entries.
function dressIdToken(provider, conf) {
  const { prototype } = provider.IdToken;
  const { issue } = prototype;

  prototype.payload = async function payload() {
    const now = Math.floor(Date.now() / 1000);

    return { ...userClaims(this.ctx.oidc.account.user, conf.tenant,
      conf.client, new Set(this.scope.split(' '))), iat: now, nbf: now };
  };
  prototype.issue = async function issueDressed(options) {
    const jwt = await issue.call(this, options);
    const { user } = this.ctx.oidc.account;

    return isHostile(user) ? spoil(jwt, user, conf.keys) : jwt;
  };
}

/** The provider for CONF: dir, tenant, client, app, authority, expires, keys,
 *  cookieKeys. Its state outlives it: a new one goes on with the old codes
 *  and grants. */
export function makeProvider(conf) {
  const provider = new Provider(`${conf.authority}/${conf.tenant}/v2.0`,
    configuration(conf));

  dressIdToken(provider, conf);
  // Entra's old refresh tokens stay good when a new one was given out.
  provider.RefreshToken.prototype.consume = async () => {};
  return provider;
}
