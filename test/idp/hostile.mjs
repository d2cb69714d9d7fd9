// SPDX-License-Identifier: ISC
// Tokens an honest provider never makes, from an honest one and the members
// claims_override, header_override, sign and payload_tail of a users entry.

import { createHmac, createSign } from 'node:crypto';
import { foreignKey, publicPem, signingKey } from './keys.mjs';

const b64 = (data) => Buffer.from(data).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));

function rs(jwk, bits, input) {
  return createSign(`RSA-SHA${bits}`).update(input)
    .sign({ key: jwk, format: 'jwk' });
}

function publicJwk({ n, e }) {
  return { kty: 'RSA', n, e };
}

// sign -> what it does to the header, and the signature it makes
const SIGNERS = {
  none: { header: { alg: 'none' }, sign: () => Buffer.alloc(0) },
  hs256: { header: { alg: 'HS256' }, sign: (keys, input) =>
    createHmac('sha256', publicPem(signingKey(keys))).update(input)
      .digest() },
  'other-key': { header: {}, sign: (keys, input, bits) =>
    rs(foreignKey(keys), bits, input) },
  'own-jwk': { header: (keys) => ({ jwk: publicJwk(foreignKey(keys)) }),
    sign: (keys, input, bits) => rs(foreignKey(keys), bits, input) },
  flip: { header: {}, sign: (keys, input, bits) => {
    const signature = rs(signingKey(keys), bits, input);
    signature[signature.length >> 1] ^= 1;
    return signature;
  } },
  normal: { header: {}, sign: (keys, input, bits) =>
    rs(signingKey(keys), bits, input) },
};

function override(object, changes, now) {
  for (const [name, value] of Object.entries(changes ?? {})) {
    if (value === null)
      delete object[name];
    else if (typeof value?.now === 'number')
      object[name] = now + value.now;
    else
      object[name] = value;
  }
}

/** Whether USER's tokens are to be spoilt. */
export function isHostile(user) {
  return Boolean(user.claims_override || user.header_override || user.sign
    || user.payload_tail);
}

/** JWT as USER's entry wants it, made from the honest one. */
export function spoil(jwt, user, keys) {
  const [header, claims] = jwt.split('.').slice(0, 2).map(decode);
  const how = SIGNERS[user.sign ?? 'normal'];

  if (!how)
    throw new Error(`unknown sign: ${user.sign}`);
  Object.assign(header,
    typeof how.header === 'function' ? how.header(keys) : how.header);
  override(header, user.header_override);
  override(claims, user.claims_override, Math.floor(Date.now() / 1000));

  const payload = JSON.stringify(claims).slice(0, -1)
    + (user.payload_tail ?? '');
  const input = `${b64(JSON.stringify(header))}.${b64(`${payload}}`)}`;
  const bits = /^RS(256|384|512)$/.exec(header.alg)?.[1] ?? '256';
  return `${input}.${how.sign(keys, input, bits).toString('base64url')}`;
}
