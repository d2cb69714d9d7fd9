// SPDX-License-Identifier: ISC
// Refresh tokens without a browser: what many sign-ins would have left.

import { findUser, userClaims } from './users.mjs';
import { apiScopes } from './provider.mjs';

const OIDC = 'openid profile offline_access';

async function mintOne(provider, conf, client, name) {
  const user = findUser(conf.dir, name);

  if (!user)
    throw new Error(`no such account: ${name}`);
  const [api] = apiScopes(conf.client);
  const grant = new provider.Grant({ accountId: name,
    clientId: conf.client });
  grant.addOIDCScope(OIDC);
  grant.addResourceScope(`api://${conf.client}`, api);
  const token = new provider.RefreshToken({ accountId: name, client,
    grantId: await grant.save(), rotations: 0, scope: `${api} ${OIDC}`,
    gty: 'urn:ietf:params:oauth:grant-type:device_code',
    resource: `api://${conf.client}`, claims: {} });
  const { oid } = userClaims(user, conf.tenant, conf.client,
    new Set(['profile']));
  return { user: name, oid, refresh_token: await token.save() };
}

/** A refresh token for each of NAMES, as [{user, oid, refresh_token}]. */
export async function mint(provider, conf, names) {
  const client = await provider.Client.find(conf.client);
  const list = [];

  for (const name of names)
    list.push(await mintOne(provider, conf, client, name));
  return list;
}
