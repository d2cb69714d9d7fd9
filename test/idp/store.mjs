// SPDX-License-Identifier: ISC
// Where oidc-provider keeps its state: in memory, without a bound. Its own
// adapter for that forgets all but the last 1,000 entries.

const entries = new Map(); // "Model:id" -> payload
const ids = new Map(); // "uid:x" and "code:x" -> id
const byGrant = new Map(); // grant id -> keys of what it gave out

export class Store {
  constructor(model) {
    this.model = model;
  }

  #key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload) {
    const { grantId, uid, userCode } = payload;
    const key = this.#key(id);

    entries.set(key, payload);
    if (uid)
      ids.set(`uid:${uid}`, id);
    if (userCode)
      ids.set(`code:${userCode}`, id);
    if (grantId && this.model !== 'Session')
      byGrant.set(grantId, (byGrant.get(grantId) ?? new Set()).add(key));
  }

  async find(id) {
    return entries.get(this.#key(id));
  }

  async findByUid(uid) {
    return this.find(ids.get(`uid:${uid}`));
  }

  async findByUserCode(code) {
    return this.find(ids.get(`code:${code}`));
  }

  async consume(id) {
    entries.get(this.#key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    entries.delete(this.#key(id));
  }

  async revokeByGrantId(grantId) {
    for (const key of byGrant.get(grantId) ?? [])
      entries.delete(key);
    byGrant.delete(grantId);
  }
}
