// SPDX-License-Identifier: ISC
// The accounts: users.json beside this file, with DIR/users.json on top (an
// entry replaces the one of the same name, null removes it). Read again at
// every sign-in and every token. README.md documents an entry's members.

import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const SHIPPED = new URL('users.json', import.meta.url);
const CROWD = /^user\d{1,6}@contoso\.com$/;
const sha256 = (text) => createHash('sha256').update(text).digest();

/** GUID that is always the same for the same text. */
export function guidOf(text) {
  const h = sha256(text).toString('hex');

  return [h.slice(0, 8), h.slice(8, 12), `4${h.slice(13, 16)}`,
    `a${h.slice(17, 20)}`, h.slice(20, 32)].join('-');
}

function inherit(users, name) {
  const own = users[name];

  if (!own.like)
    return { ...own, name };
  const base = inherit(users, own.like);
  return { ...base, ...own, name: base.name, hidden: own.hidden,
    claims: { ...base.claims, ...own.claims } };
}

/** All accounts as {name: entry}. */
export function loadUsers(dir) {
  const users = JSON.parse(fs.readFileSync(SHIPPED, 'utf8'));
  const own = path.join(dir, 'users.json');

  if (fs.existsSync(own))
    Object.assign(users, JSON.parse(fs.readFileSync(own, 'utf8')));
  for (const name of Object.keys(users))
    if (users[name] === null)
      delete users[name];
  return users;
}

/** One account with what it inherits, or undefined. userN@contoso.com needs
 *  no entry: N is any number of one to six digits. */
export function findUser(dir, name) {
  const users = loadUsers(dir);

  if (!Object.hasOwn(users, name) && CROWD.test(name))
    return { name, hidden: true, claims: { roles: ['ssh.user'] } };
  return Object.hasOwn(users, name) ? inherit(users, name) : undefined;
}

/** AADSTS number with which USER is refused at a place: page (the browser),
 *  poll (any token request), refresh (a refresh only); or undefined. */
export function refusal(user, place) {
  const { code, at = 'poll' } = user.refuse ?? {};
  const here = at === place || (at === 'poll' && place === 'refresh');

  return here ? code : undefined;
}

function groups(user, tid, oid) {
  if (user.overage)
    return {
      _claim_names: { groups: 'src1' },
      _claim_sources: { src1: { endpoint:
        `https://graph.windows.net/${tid}/users/${oid}/getMemberObjects` } },
    };
  if (user.groups_count)
    return { groups: Array.from({ length: user.groups_count },
      (_, i) => guidOf(`${user.name}/group/${i}`)) };
  return {};
}

/** What Entra says about USER in id and access tokens (not iss, aud, iat,
 *  exp, nbf). Without the profile scope the identity is missing, as Entra's. */
export function userClaims(user, tid, client, scopes) {
  const oid = user.claims?.oid ?? guidOf(`${tid}/${user.name}`);
  const all = {
    aio: `AXQAi/8YAAAA${randomBytes(48).toString('base64')}`,
    name: user.name,
    oid,
    preferred_username: user.name,
    rh: `1.AXsA${randomBytes(30).toString('base64url')}.`,
    sub: sha256(`${oid}/${client}`).toString('base64url'),
    tid,
    uti: randomBytes(16).toString('base64url'),
    ver: '2.0',
    ...groups(user, tid, oid),
    ...user.claims,
  };

  if (user.pad)
    all.xms_pad = 'x'.repeat(user.pad);
  if (!scopes.has('profile'))
    for (const claim of ['name', 'oid', 'preferred_username', 'tid'])
      delete all[claim];
  return all;
}
