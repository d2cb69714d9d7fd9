// SPDX-License-Identifier: ISC
//
// forge.mjs GOOD BAD: from the plain keys in GOOD make the security keys
// there, and the unsound keys in BAD; print a line "NAME REASON" for each.

import { readFileSync, writeFileSync } from "node:fs";

const [good, bad] = process.argv.slice(2);

// ---- the wire (RFC 4251 s.5)
const str = (s) => {
	const b = Buffer.from(s);
	const n = Buffer.alloc(4);
	n.writeUInt32BE(b.length);
	return Buffer.concat([n, b]);
};
const blob = (...parts) => Buffer.concat(parts.map((p) => str(p)));
const load = (name) => Buffer.from(
    readFileSync(`${good}/${name}.pub`, "utf8").split(" ")[1], "base64");
const fields = (b) => {
	const out = [];
	for (let i = 0; i < b.length;) {
		const n = b.readUInt32BE(i);
		out.push(b.subarray(i + 4, i + 4 + n));
		i += 4 + n;
	}
	return out;
};
const put = (dir, name, type, b) => writeFileSync(`${dir}/${name}.pub`,
    `${type} ${b.toString("base64")} ${name} test key\n`);
const refuse = (name, type, b, reason) => {
	put(bad, name, type, b);
	console.log(`${name} ${reason}`);
};

// ---- edwards25519 (RFC 8032 s.5.1)
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (a) => ((a % P) + P) % P;
const pow = (a, e) => {
	let r = 1n;
	for (a = mod(a); e > 0n; e >>= 1n, a = a * a % P)
		if (e & 1n)
			r = r * a % P;
	return r;
};
const inv = (a) => pow(a, P - 2n);
const D = mod(-121665n * inv(121666n));
const I = pow(2n, (P - 1n) / 4n);
const bytes = (n) => Buffer.from(
    n.toString(16).padStart(64, "0"), "hex").reverse();
const number = (b) => BigInt("0x" + Buffer.from(b).reverse().toString("hex"));
const point = (n) => { // null: not on the curve
	const sign = n >> 255n, y = mod(n & (2n ** 255n - 1n));
	const u = mod(y * y - 1n), v = mod(D * y * y + 1n);
	let x = mod(u * pow(v, 3n) * pow(u * pow(v, 7n), (P - 5n) / 8n));
	if (mod(v * x * x) !== u)
		x = mod(x * I);
	if (mod(v * x * x) !== u)
		return null;
	return [(x & 1n) === sign ? x : mod(-x), y];
};
const add = ([x1, y1], [x2, y2]) => {
	const k = mod(D * x1 * x2 * y1 * y2);
	return [mod((x1 * y2 + x2 * y1) * inv(1n + k)),
	    mod((y1 * y2 + x1 * x2) * inv(1n - k))];
};
const mul = (n, p) => {
	let r = [0n, 1n];
	for (; n > 0n; n >>= 1n, p = add(p, p))
		if (n & 1n)
			r = add(r, p);
	return r;
};
const encode = ([x, y]) => bytes(y | ((x & 1n) << 255n));
const main = (p) => p !== null && mul(L, p).join() === "0,1";

const ED = "ssh-ed25519", SK_ED = "sk-ssh-ed25519@openssh.com";
const EC = "ecdsa-sha2-nistp256", SK_EC = "sk-ecdsa-sha2-nistp256@openssh.com";
const pk = fields(load("ed25519"))[1];
const q = fields(load("ecdsa256"))[2];
const [, e, n] = fields(load("rsa2048"));

// ---- security keys
put(good, "sk_ed25519", SK_ED, blob(SK_ED, pk, "ssh:"));
put(good, "sk_ecdsa256", SK_EC, blob(SK_EC, "nistp256", q, "ssh:example"));
refuse("sk_ed25519_no_application", SK_ED, blob(SK_ED, pk, ""),
    "key_malformed");
refuse("sk_ecdsa256_application_newline", SK_EC,
    blob(SK_EC, "nistp256", q, "ssh:\nssh-ed25519 AAAA"), "key_malformed");
refuse("sk_ed25519_application_long", SK_ED,
    blob(SK_ED, pk, "s".repeat(257)), "key_malformed");
refuse("sk_ecdsa384", "sk-ecdsa-sha2-nistp384@openssh.com",
    blob("sk-ecdsa-sha2-nistp384@openssh.com", "nistp384",
	fields(load("ecdsa384"))[2], "ssh:"), "key_type");

// ---- Ed25519: the eight points of low order, twice each where two
// encodings exist; main + low order; a non-canonical twin of a good point.
const T8 = point(number(Buffer.from("26e8958fc2b227b045c3f489f2ef98f0" +
    "d5dfac05d3c63339b13802886d53fc05", "hex")));
const ed = (name, b) => refuse(name, ED, blob(ED, b), "key_weak");
for (let i = 0n; i < 8n; i++)
	ed(`ed25519_low_order_${i}`, encode(mul(i, T8)));
ed("ed25519_low_order_zero_plus_p", bytes(P));
ed("ed25519_low_order_one_plus_p", bytes(P + 1n));
ed("ed25519_negative_zero", bytes(1n | (1n << 255n)));
const A = point(number(pk));
if (!main(A) || encode(A).compare(pk) !== 0)
	throw new Error("edwards25519 arithmetic");
for (const [order, k] of [[2, 4n], [4, 2n], [8, 1n]])
	ed(`ed25519_mixed_order_${order}`, encode(add(A, mul(k, T8))));
let y = 2n; // no y < 19 is of the main group: this one is of mixed order too
while (point(y) === null)
	y++;
ed("ed25519_non_canonical", bytes(y + P));
ed("ed25519_non_canonical_max", bytes(2n ** 256n - 1n));
y = 2n;
while (point(y) !== null)
	y++;
ed("ed25519_off_curve", bytes(y));
refuse("ed25519_short", ED, blob(ED, pk.subarray(0, 31)), "key_malformed");
refuse("ed25519_long", ED, blob(ED, Buffer.concat([pk, Buffer.alloc(1)])),
    "key_malformed");

// ---- ECDSA
const ec = (name, point, reason) =>
	refuse(name, EC, blob(EC, "nistp256", point), reason);
const off = Buffer.from(q);
off[64] ^= 1;
ec("ecdsa_off_curve", off, "key_weak");
ec("ecdsa_zero", Buffer.concat([Buffer.from([4]), Buffer.alloc(64)]),
    "key_weak");
ec("ecdsa_infinity", Buffer.from([0]), "key_malformed");
ec("ecdsa_compressed", Buffer.concat([Buffer.from([2 + (q[64] & 1)]),
    q.subarray(1, 33)]), "key_malformed");
ec("ecdsa_hybrid", Buffer.concat([Buffer.from([6 + (q[64] & 1)]),
    q.subarray(1)]), "key_malformed");
const p256 = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
ec("ecdsa_coordinate_is_p", Buffer.concat([Buffer.from([4]),
    Buffer.from(p256.toString(16), "hex"), q.subarray(33)]), "key_weak");
refuse("ecdsa_other_curve", EC, blob(EC, "nistp384", q), "key_malformed");
refuse("ecdsa_p384_as_p256", EC,
    blob(EC, "nistp256", fields(load("ecdsa384"))[2]), "key_malformed");
refuse("ecdsa_p224", "ecdsa-sha2-nistp224",
    blob("ecdsa-sha2-nistp224", "nistp224", q), "key_type");

// ---- RSA
const rsa = (name, e, n, reason) =>
	refuse(name, "ssh-rsa", blob("ssh-rsa", e, n), reason);
const even = Buffer.from(n);
even[even.length - 1] &= 0xfe;
rsa("rsa_even_n", e, even, "key_weak");
rsa("rsa_even_e", Buffer.from([1, 0, 0]), n, "key_weak");
rsa("rsa_e_1", Buffer.from([1]), n, "key_weak");
rsa("rsa_e_2", Buffer.from([2]), n, "key_weak");
rsa("rsa_e_0", Buffer.alloc(0), n, "key_malformed");
rsa("rsa_e_negative", Buffer.from([0x81]), n, "key_malformed");
rsa("rsa_e_huge", Buffer.concat([Buffer.from([1]), Buffer.alloc(7),
    Buffer.from([1])]), n, "key_weak");
rsa("rsa_e_padded", Buffer.concat([Buffer.alloc(1), e]), n, "key_malformed");
rsa("rsa_n_padded", e, Buffer.concat([Buffer.alloc(1), n]), "key_malformed");
rsa("rsa_n_negative", e, n.subarray(1), "key_malformed");
rsa("rsa_n_1", e, Buffer.from([1]), "key_weak");
refuse("rsa_sha2_name", "rsa-sha2-256", blob("rsa-sha2-256", e, n),
    "key_type");

// ---- framing
refuse("wrong_inner_type", ED, blob("ssh-rsa", e, n), "key_malformed");
const cert = readFileSync(`${bad}/cert_user_ed25519.pub`, "utf8").split(" ")[1];
refuse("wrong_inner_type_cert", ED, Buffer.from(cert, "base64"),
    "key_malformed");
refuse("wrong_outer_type_cert", `${ED}-cert-v01@openssh.com`,
    load("ed25519"), "key_malformed");
refuse("wrong_inner_type_sk", ED, load("sk_ed25519"), "key_malformed");
for (const k of ["ed25519", "ecdsa256", "rsa2048", "sk_ed25519"])
	refuse(`trailing_${k}`, fields(load(k))[0].toString(),
	    Buffer.concat([load(k), Buffer.alloc(1)]), "key_malformed");
refuse("trailing_field", ED, Buffer.concat([load("ed25519"), str("")]),
    "key_malformed");
refuse("cut_ed25519", ED, load("ed25519").subarray(0, 50), "key_malformed");
refuse("length_4gb", ED, Buffer.concat([str(ED),
    Buffer.from([0xff, 0xff, 0xff, 0xff]), pk]), "key_malformed");
refuse("length_of_type_4gb", ED, Buffer.concat([
    Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.from(ED)]),
    "key_malformed");
refuse("empty_type", ED, blob("", pk), "key_malformed");
refuse("type_with_nul", ED, blob("ssh-ed25519\0", pk), "key_malformed");
