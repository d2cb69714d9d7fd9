// SPDX-License-Identifier: ISC
//
// make.mjs: write keys and tokens of this folder anew.  Needs node and
// nothing else.  Keys come from throwaway.json, which is made once and kept,
// and RSASSA-PKCS1-v1_5 has no randomness: the same file in, the same out
// (but for the five rows of PSS and ECDSA, whose signatures are random).
//
//   throwaway.json  private keys, as JWKs: they open nothing anywhere
//   jwks.json       what the provider would publish, with hostile keys
//   tokens.tsv      NAME, REASON, TOKEN; bytes of the token outside 0x21 to
//                   0x7e and backslashes as \xHH.  REASON "allowed" is a
//                   token that must open; "A/B": A by nettle alone, B where
//                   libjwt is asked, which parses the payload first.
import * as crypto from "node:crypto";
import * as fs from "node:fs";

const here = new URL("./", import.meta.url);
const file = (name) => new URL(name, here);

const TENANT = "5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77";
const OTHER = "9188040d-6c67-4c5b-b112-36a304b66dad";
const CLIENT = "b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4";
const APP2 = "0d93e6f1-8b2a-4c71-a6e5-f4470b1c29ea";
const OID = "c2f8a1d6-49b3-4e70-b1f2-83d75c60e9aa";
const GRAPH = "00000003-0000-0000-c000-000000000000";
const HOST = "https://login.example.test/";
const ISS = `${HOST}${TENANT}/v2.0`;
const IAT = 1767225600; // 2026-01-01
const NOW = IAT + 600; // the test's clock
const EXP = IAT + 3900;

// ---- keys ------------------------------------------------------------------

const wanted = {
	main: { modulusLength: 2048 },
	other: { modulusLength: 2048 },
	attacker: { modulusLength: 2048 },
	e3: { modulusLength: 2048, publicExponent: 3 },
	rsa512: { modulusLength: 512 },
	rsa1024: { modulusLength: 1024 },
	rsa2047: { modulusLength: 2047 },
	rsa3072: { modulusLength: 3072 },
	rsa4096: { modulusLength: 4096 },
	rsa4104: { modulusLength: 4104 },
};

function make_keys() {
	const keys = {};
	for (const [name, how] of Object.entries(wanted))
		keys[name] = crypto.generateKeyPairSync("rsa", how)
			.privateKey.export({ format: "jwk" });
	for (const crv of ["P-256", "P-384"])
		keys[crv] = crypto.generateKeyPairSync("ec",
			{ namedCurve: crv }).privateKey.export({ format: "jwk" });
	fs.writeFileSync(file("throwaway.json"), JSON.stringify(keys, null, 1) +
		"\n");
}

if (!fs.existsSync(file("throwaway.json")))
	make_keys();
const jwk = JSON.parse(fs.readFileSync(file("throwaway.json")));
const priv = (name) => crypto.createPrivateKey({ key: jwk[name],
	format: "jwk" });
const pub = (name) => crypto.createPublicKey(priv(name));

const b64 = (x) => Buffer.from(x, typeof x === "string" ? "latin1" :
	undefined).toString("base64url");
const utf8 = (s) => Buffer.from(s, "utf8").toString("latin1");
const num = (s) => BigInt("0x" + Buffer.from(s, "base64url").toString("hex"));
const bytes = (x, len) => Buffer.from(x.toString(16).padStart(2 * len, "0"),
	"hex");
const unnum = (x) => {
	const hex = x.toString(16);
	return Buffer.from(hex.padStart(hex.length + hex.length % 2, "0"),
		"hex").toString("base64url");
};

function power(base, exp, mod) {
	let out = 1n;
	for (base %= mod; exp > 0n; exp >>= 1n, base = base * base % mod)
		if (exp & 1n)
			out = out * base % mod;
	return out;
}

// The published set: what the verifier meets by kid.
const row = (kid, key, more = {}) => ({ kty: "RSA", use: "sig", kid,
	n: jwk[key].n, e: jwk[key].e, ...more });
const KID = "main-5Ycmy9wJW7NjtInO2Iyt5";
const listed = [
	row(KID, "main", { x5t: KID, x5c: ["not read"], issuer: ISS,
		cloud_instance_name: "example.test", key_ops: ["encrypt"] }),
	row("other", "other", { issuer: `${HOST}{tenantid}/v2.0` }),
	row("e3", "e3", { alg: "RS256" }),
	row("rsa3072", "rsa3072"),
	row("rsa4096", "rsa4096", { use: undefined }),
	// unsound, found out when used
	row("rsa512", "rsa512"),
	row("rsa1024", "rsa1024"),
	row("rsa2047", "rsa2047"),
	row("even-n", "main", { n: unnum(num(jwk.main.n) - 1n) }),
	row("e1", "main", { e: unnum(1n) }),
	row("e2", "main", { e: unnum(2n) }),
	row("even-e", "main", { e: unnum(65536n) }),
	row("huge-even-e", "main", { e: unnum(2n ** 64n - 2n) }),
	// skipped when fetched
	row("rsa4104", "rsa4104"),
	row("enc", "main", { use: "enc" }),
	row("use-array", "main", { use: ["sig"] }),
	row("alg-rs512", "main", { alg: "RS512" }),
	row("alg-hs256", "main", { alg: "HS256" }),
	row("alg-none", "main", { alg: "none" }),
	row("alg-null", "main", { alg: null }),
	row("foreign", "main", { issuer: `${HOST}${OTHER}/v2.0` }),
	row("foreign-prefix", "main", { issuer: ISS.slice(0, -1) }),
	row("foreign-longer", "main", { issuer: ISS + "/" }),
	row("foreign-array", "main", { issuer: [ISS] }),
	row("template-twice", "main",
		{ issuer: `${HOST}{tenantid}/{tenantid}/v2.0` }),
	row("private", "main", { d: jwk.main.d }),
	row("private-p", "main", { p: jwk.main.p }),
	row("e0", "main", { e: "" }),
	row("e-zero-byte", "main", { e: "AAEAAQ" }),
	row("e-long", "main", { e: unnum(2n ** 64n + 1n) }),
	row("n-zero-byte", "main", { n: b64(Buffer.concat([Buffer.alloc(1),
		Buffer.from(jwk.main.n, "base64url")])) }),
	row("n-padded", "main", { n: jwk.main.n + "==" }),
	row("n-number", "main", { n: 12345 }),
	row("kty-oct", "main", { kty: "oct", k: jwk.main.n }),
	row("kty-lower", "main", { kty: "rsa" }),
	row("kty-none", "main", { kty: undefined }),
	{ kty: "EC", use: "sig", kid: "ec256", crv: "P-256", x: jwk["P-256"].x,
		y: jwk["P-256"].y },
	{ kty: "EC", use: "sig", kid: "ec384", crv: "P-384", x: jwk["P-384"].x,
		y: jwk["P-384"].y },
	row("../../etc/passwd", "main"),
	row("", "main"),
	row("k".repeat(129), "main"),
	row(17, "main"),
	row(undefined, "main"),
	"not a key", null, [],
];

// ---- tokens ----------------------------------------------------------------

const plain = { aud: CLIENT, iss: ISS, iat: IAT, nbf: IAT, exp: EXP,
	oid: OID, preferred_username: "alice@contoso.com",
	roles: ["ssh.user"], tid: TENANT, uti: "s7nTheTiCuTi0AAAAAAAAA",
	ver: "2.0" };
const head = { typ: "JWT", alg: "RS256", kid: KID };
const text = (x) => typeof x === "string" ? x : utf8(JSON.stringify(x));

// Sign bytes by a listed key (RSASSA-PKCS1-v1_5 unless said).
const rsa = (key, hash = "sha256", more = {}) => (data) => crypto.sign(hash,
	Buffer.from(data, "latin1"), { key: priv(key), ...more });
const PSS = { padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
	saltLength: 32 };
const hmac = (hash, secret) => (data) => crypto.createHmac(hash, secret)
	.update(data, "latin1").digest();
const ec = (crv, hash) => (data) => crypto.sign(hash,
	Buffer.from(data, "latin1"), { key: priv(crv),
		dsaEncoding: "ieee-p1363" });
const fixed = (hex_or_buffer) => () => Buffer.from(hex_or_buffer, "hex");

// A token of header, claims (objects or text) and a signer.
function jwt(header = head, claims = plain, sign = rsa("main")) {
	const data = `${b64(text(header))}.${b64(text(claims))}`;
	return `${data}.${b64(sign(data))}`;
}
const h = (more) => ({ ...head, ...more });
const c = (more) => ({ ...plain, ...more });
const with_kid = (kid, key = kid) => jwt(h({ kid }), plain, rsa(key));
// JSON text of an object with one more member put in as it stands.
const raw = (object, member) => text(object).slice(0, -1) + "," + member + "}";
const swap = (object, from, to) => {
	const t = text(object);
	if (!t.includes(from))
		throw new Error(`no ${from}`);
	return t.replace(from, to);
};

// An encoded message signed with the private exponent: any padding we like.
const SHA256 = Buffer.from("3031300d060960864801650304020105000420", "hex");
const BARE = Buffer.from("302f300b0609608648016503040201" + "0420", "hex");
const digest = (data, hash = "sha256") => crypto.createHash(hash)
	.update(data, "latin1").digest();
function emsa(build, key = "main") {
	return (data) => {
		const n = num(jwk[key].n), len = Buffer.from(jwk[key].n,
			"base64url").length;
		const em = build(data, len);
		if (em.length !== len)
			throw new Error("wrong length");
		return bytes(power(BigInt("0x" + em.toString("hex")),
			num(jwk[key].d), n), len);
	};
}
const pad = (len, tail, byte = 0xff, type = 1) => Buffer.concat([
	Buffer.from([0, type]), Buffer.alloc(len - 3 - tail.length, byte),
	Buffer.from([0]), tail]);
const info = (data) => Buffer.concat([SHA256, digest(data)]);

// Bleichenbacher 2006: with e = 3 a cube whose first bytes look right.
function cube(data) {
	const front = Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(8, 0xff),
		Buffer.from([0]), info(data)]);
	const shift = BigInt(8 * (256 - front.length));
	const low = BigInt("0x" + front.toString("hex")) << shift;
	let a = 0n, b = 1n << 700n;
	while (a < b) { // the least x with x^3 >= low
		const m = (a + b) >> 1n;
		if (m * m * m >= low)
			b = m;
		else
			a = m + 1n;
	}
	if ((a * a * a) >> shift !== low >> shift)
		throw new Error("no cube root");
	return bytes(a, 256);
}

const good = jwt();
const [gh, gp, gs] = good.split(".");
const n = num(jwk.main.n);
const s = BigInt("0x" + Buffer.from(gs, "base64url").toString("hex"));
const spki = pub("main").export({ type: "spki", format: "pem" });
const pkcs1 = pub("main").export({ type: "pkcs1", format: "pem" });
const der = pub("main").export({ type: "spki", format: "der" });
const modulus = Buffer.from(jwk.main.n, "base64url");

const rows = [];
const names = new Set();
function put(expect, name, token) {
	if (names.has(name))
		throw new Error(`twice: ${name}`);
	names.add(name);
	const safe = Array.from(Buffer.from(token, "latin1"), (b) =>
		b > 0x20 && b < 0x7f && b !== 0x5c ? String.fromCharCode(b) :
			"\\x" + b.toString(16).padStart(2, "0")).join("");
	rows.push(`${name}\t${expect}\t${safe}`);
}
function each(expect, prefix, table) {
	for (const [name, token] of Object.entries(table))
		put(expect, prefix + name, token);
}

each("allowed", "good_", {
	plain: good,
	groups_200: jwt(head, c({ groups: Array.from({ length: 200 },
		(_, i) => "6f0a2b71-58de-4d3c-9a14-" +
			i.toString(16).padStart(12, "0")) })),
	kid_with_template_issuer: with_kid("other"),
	e3: with_kid("e3"),
	rsa3072: with_kid("rsa3072"),
	rsa4096: with_kid("rsa4096"),
	no_typ: jwt(h({ typ: undefined })),
	typ_lower: jwt(h({ typ: "jwt" })),
	x5t: jwt(h({ x5t: KID })),
	unknown_header_member: jwt(h({ sid: "x", ALGO: "none" })),
	header_with_blanks: jwt(JSON.stringify(head, null, "\t")),
	payload_with_blanks: jwt(head, JSON.stringify(plain, null, "\r\n")),
	no_nbf: jwt(head, c({ nbf: undefined })),
	no_name: jwt(head, c({ preferred_username: undefined,
		roles: undefined, uti: undefined })),
	upper_guids: jwt(head, c({ tid: TENANT.toUpperCase(),
		oid: OID.toUpperCase() })),
	overage: jwt(head, c({ _claim_names: { groups: "src1" },
		_claim_sources: { src1: { endpoint: "https://x.test/" } } })),
	acct_string: jwt(head, c({ acct: "0", auth_time: IAT - 5 })),
	acrs_string: jwt(head, c({ acrs: "c1" })),
	nested_token_ignored: jwt(head, c({ inner: good })),
	other_case_ignored_elsewhere: jwt(head, c({ Email: "x", EMAIL: "y" })),
	utf8_name: jwt(head, c({ name: "Zo\u00eb \u{1f642}" })),
	skew_iat_nbf_60: jwt(head, c({ iat: NOW + 60, nbf: NOW + 60 })),
	exp_now_1: jwt(head, c({ exp: NOW + 1 })),
	exp_year_9999: jwt(head, c({ exp: 253402300799 })),
	header_deep_2000: jwt(raw(head, '"x":' + "[".repeat(2000) +
		"]".repeat(2000))),
	deep_1000: jwt(head, raw(plain, `"x":${"[".repeat(1000)}` +
		"]".repeat(1000))),
});

// ---- form: II-T1, II-T18, I-B8 ---------------------------------------------
each("token_format", "II_T1_", {
	five_parts_jwe: `${gh}.${gp}.${gs}.${gp}.${gs}`,
	four_parts: `${good}.AAAA`,
	extra_dot: `${good}.`,
	leading_dot: `.${good}`,
	two_parts: `${gh}.${gp}`,
	one_part: gh,
	empty_header: `.${gp}.${gs}`,
	empty_payload: `${gh}..${gs}`,
	only_dots: "..".padEnd(20, "."),
	json_general: JSON.stringify({ payload: gp,
		signatures: [{ protected: gh, signature: gs }] }),
	json_flattened: JSON.stringify({ payload: gp, protected: gh,
		signature: gs }),
	two_signatures: `${gh}.${gp}.${gs},${gs}`,
	two_tokens: `${good} ${good}`,
});
put("token_size", "II_T1_empty", "");
put("token_size", "II_T1_short", "a.b.c");
each("token_format", "I_B8_", {
	newline_at_end: good + "\n",
	nul_at_end: good + "\0",
	nul_and_junk: good + "\0junk",
	blank_in_front: " " + good,
	blank_in_header: `${gh.slice(0, 9)} ${gh.slice(9)}.${gp}.${gs}`,
	newline_in_payload: `${gh}.${gp.slice(0, 40)}\n${gp.slice(40)}.${gs}`,
	tab_in_signature: `${gh}.${gp}.${gs.slice(0, 9)}\t${gs.slice(9)}`,
	junk_in_header: `${gh}!!!!.${gp}.${gs}`,
	junk_in_payload: `${gh}.${gp}{|}.${gs}`,
	junk_in_signature: `${gh}.${gp}.${gs}!!!!`,
	high_byte_in_header: `\xff${gh}.${gp}.${gs}`,
	high_byte_in_payload: `${gh}.\x80${gp}.${gs}`,
	high_byte_in_signature: `${gh}.${gp}.${gs.slice(0, -1)}\xbf`,
	padded_header: `${gh}=.${gp}.${gs}`,
	padded_payload: `${gh}.${gp}==.${gs}`,
	padded_signature: `${gh}.${gp}.${gs}==`,
	plus_slash_signature: `${gh}.${gp}.` +
		gs.replace(/-/g, "+").replace(/_/g, "/"),
	trailing_bits_signature: `${gh}.${gp}.` +
		gs.slice(0, -1) + "B", // 256 bytes leave four bits over
	one_character_part: `${gh}.${gp}.A`,
	bearer: `Bearer ${good}`,
});
// Trailing bits in header and payload: signed as they stand.
{
	const odd = (x) => { // the same bytes, last character's low bit set
		const t = b64(x);
		const set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx" +
			"yz0123456789-_";
		if (t.length % 4 === 0)
			throw new Error("no trailing bits here");
		return t.slice(0, -1) + set[set.indexOf(t.at(-1)) + 1];
	};
	const sized = (x) => { // JSON text whose length leaves trailing bits
		let t = text(x);
		while (t.length % 3 === 0)
			t += " ";
		return t;
	};
	for (const [part, hh, pp] of [["header", odd(sized(head)), gp],
		["payload", gh, odd(sized(plain))]])
		put("token_format", `I_B8_trailing_bits_${part}`,
			`${hh}.${pp}.${b64(rsa("main")(`${hh}.${pp}`))}`);
}

// ---- algorithm: II-T2, II-T3, II-T16 ---------------------------------------
const none = (alg, sig = "") => `${b64(text(h({ alg })))}.${gp}.${sig}`;
put("token_format", "II_T2_none_empty_signature", none("none"));
each("token_alg", "II_T2_", {
	none_with_signature: none("none", gs),
	none_upper: none("NONE", gs),
	none_mixed: none("nOnE", gs),
	none_signed: jwt(h({ alg: "none" })),
});
for (const [alg, hash] of [["HS256", "sha256"], ["HS384", "sha384"],
	["HS512", "sha512"]])
	for (const [what, secret] of [["public_pem", spki],
		["public_pem_trimmed", spki.trimEnd()], ["pkcs1_pem", pkcs1],
		["public_der", der], ["modulus", modulus],
		["jwk", JSON.stringify(listed[0])], ["empty_key", ""],
		["kid", KID]])
		if (hash === "sha256" || what === "public_pem")
			put("token_alg", `II_T3_${alg.toLowerCase()}_${what}`,
				jwt(h({ alg }), plain, hmac(hash, secret)));
each("token_alg", "II_T16_", {
	rs384: jwt(h({ alg: "RS384" }), plain, rsa("main", "sha384")),
	rs512: jwt(h({ alg: "RS512" }), plain, rsa("main", "sha512")),
	rs1: jwt(h({ alg: "RS1" }), plain, rsa("main", "sha1")),
	ps256: jwt(h({ alg: "PS256" }), plain, rsa("main", "sha256", PSS)),
	es256: jwt(h({ alg: "ES256", kid: "ec256" }), plain,
		ec("P-256", "sha256")),
	es256_p384_key: jwt(h({ alg: "ES256", kid: "ec384" }), plain,
		ec("P-384", "sha256")),
	es256_zero: jwt(h({ alg: "ES256", kid: "ec256" }), plain,
		fixed("00".repeat(64))),
	es256_one: jwt(h({ alg: "ES256" }), plain,
		fixed("00".repeat(31) + "01" + "00".repeat(31) + "01")),
	eddsa: jwt(h({ alg: "EdDSA" }), plain, fixed("11".repeat(64))),
	lower_case: jwt(h({ alg: "rs256" })),
	mixed_case: jwt(h({ alg: "Rs256" })),
	blank_behind: jwt(h({ alg: "RS256 " })),
	blank_in_front: jwt(h({ alg: " RS256" })),
	missing: jwt(h({ alg: undefined })),
	null: jwt(h({ alg: null })),
	number: jwt(h({ alg: 256 })),
	array: jwt(h({ alg: ["RS256"] })),
	object: jwt(h({ alg: { "": "RS256" } })),
	empty: jwt(h({ alg: "" })),
	longer: jwt(h({ alg: "RS2560" })),
});
for (const kid of ["alg-rs512", "alg-hs256", "alg-none", "alg-null"])
	put("unknown_kid", `II_T16_jwk_${kid}`, with_kid(kid, "main"));

// ---- header: II-T4, I-B8 ----------------------------------------------------
const evil = { kty: "RSA", n: jwk.attacker.n, e: jwk.attacker.e };
const pem = pub("attacker").export({ type: "spki", format: "der" })
	.toString("base64");
each("token_header", "II_T4_", {
	jwk_attacker: jwt(h({ jwk: evil }), plain, rsa("attacker")),
	jwk_genuine: jwt(h({ jwk: { kty: "RSA", n: jwk.main.n, e: "AQAB" } })),
	jwk_unknown_kid: jwt(h({ kid: "evil", jwk: evil }), plain,
		rsa("attacker")),
	jku: jwt(h({ jku: "https://evil.test/keys" }), plain, rsa("attacker")),
	x5u: jwt(h({ x5u: "https://evil.test/cert" }), plain, rsa("attacker")),
	x5c: jwt(h({ x5c: [pem] }), plain, rsa("attacker")),
	jwk_null: jwt(h({ jwk: null })),
	jwk_other_case: jwt(h({ JWK: evil })),
	jku_genuine_signature: jwt(h({ jku: "https://evil.test/keys" })),
});
each("token_header", "I_B8_", {
	crit_unknown: jwt(h({ crit: ["exp"], exp: 1 })),
	crit_number: jwt(h({ crit: 1 })),
	crit_empty: jwt(h({ crit: [] })),
	crit_upper: jwt(h({ CRIT: ["b64"] })),
	b64_false: jwt(h({ b64: false, crit: ["b64"] })),
	b64_alone: jwt(h({ b64: true })),
	zip: jwt(h({ zip: "DEF" })),
	cty_jwt: jwt(h({ cty: "JWT" })),
	enc: jwt(h({ enc: "A256GCM" })),
	epk: jwt(h({ epk: {} })),
	typ_other: jwt(h({ typ: "at+jwt" })),
	typ_number: jwt(h({ typ: 1 })),
	typ_null: jwt(h({ typ: null })),
	typ_blank: jwt(h({ typ: "JWT " })),
	duplicate_alg: jwt(raw(head, '"alg":"none"')),
	duplicate_alg_first: jwt('{"alg":"none",' + text(head).slice(1)),
	duplicate_alg_escaped: jwt(raw(head, '"\\u0061lg":"none"')),
	duplicate_kid: jwt(raw(head, '"kid":"other"')),
	alg_other_case: jwt(raw(head, '"Alg":"none"')),
	kid_other_case: jwt(raw(head, '"KID":"other"')),
	header_array: jwt(`[${text(head)}]`),
	header_text: jwt('"RS256"'),
	header_nul: jwt(text(head) + "\0"),
	header_nul_junk: jwt(text(head) + '\0{"alg":"none"}'),
	header_junk: jwt(text(head) + "x"),
	header_two: jwt(text(head) + text(head)),
	header_bom: jwt("\xef\xbb\xbf" + text(head)),
	header_bad_utf8: jwt(raw(head, '"x":"\xc0\xae"')),
	header_u0000_value: jwt(raw(head, '"x":"a\\u0000b"')),
	header_u0000_alg: jwt(swap(head, '"RS256"', '"RS256\\u0000"')),
	header_u0000_member: jwt(raw(head, '"alg\\u0000x":"none"')),
	header_comment: jwt("/**/" + text(head)),
	header_single_quotes: jwt(text(head).replace(/"/g, "'")),
	header_over_4096: jwt(h({ x: "y".repeat(4096) })),
	header_cut: jwt(text(head).slice(0, -1)),
});

// ---- kid: II-T5 --------------------------------------------------------------
each("token_kid", "II_T5_", {
	missing: jwt(h({ kid: undefined })),
	null: jwt(h({ kid: null })),
	number: jwt(h({ kid: 17 })),
	array: jwt(h({ kid: [KID] })),
	empty: jwt(h({ kid: "" })),
	path: jwt(h({ kid: "../../etc/passwd" })),
	slash: jwt(h({ kid: KID + "/" })),
	sql: jwt(h({ kid: "x' OR '1'='1" })),
	blank_behind: jwt(h({ kid: KID + " " })),
	newline: jwt(h({ kid: KID + "\n" })),
	long: jwt(h({ kid: "k".repeat(129) })),
	utf8: jwt(h({ kid: "k\u00e9y" })),
});
put("token_header", "II_T5_u0000", jwt(swap(head, KID, KID + "\\u0000x")));
put("token_header", "II_T5_10kb", jwt(h({ kid: "k".repeat(10000) })));
each("unknown_kid", "II_T5_", {
	unknown: jwt(h({ kid: "nobody" })),
	unknown_attacker: jwt(h({ kid: "nobody" }), plain, rsa("attacker")),
	other_case: jwt(h({ kid: KID.toUpperCase() })),
	prefix: jwt(h({ kid: KID.slice(0, -1) })),
	longer: jwt(h({ kid: KID + "x" })),
	bound_128: jwt(h({ kid: "k".repeat(128) })),
});

// ---- the published keys: II-T6, II-T11 ---------------------------------------
for (const key of ["rsa512", "rsa1024", "rsa2047"])
	put("tenant_key_unsound", `II_T6_${key}`, with_kid(key));
for (const kid of ["even-n", "e1", "e2", "even-e", "huge-even-e"])
	put("tenant_key_unsound", `II_T6_${kid}`, with_kid(kid, "main"));
put("tenant_key_unsound", "II_T6_e1_message_as_signature",
	jwt(h({ kid: "e1" }), plain, (data) => pad(256, info(data))));
put("token_format", "II_T6_rsa4104", with_kid("rsa4104"));
for (const kid of ["enc", "use-array", "private", "private-p", "e0",
	"e-zero-byte", "e-long", "n-zero-byte", "n-padded", "n-number",
	"kty-oct", "kty-lower", "kty-none", "ec256", "ec384"])
	put("unknown_kid", `II_T6_${kid}`, with_kid(kid, "main"));
for (const kid of ["foreign", "foreign-prefix", "foreign-longer",
	"foreign-array", "template-twice"])
	put("unknown_kid", `II_T11_key_${kid}`, with_kid(kid, "main"));

// ---- signature: I-B8, II-T1, II-T17 -------------------------------------------
const signed = (sig) => `${gh}.${gp}.${b64(sig)}`;
each("token_signature", "I_B8_signature_", {
	attacker: jwt(head, plain, rsa("attacker")),
	other_listed_key: jwt(head, plain, rsa("other")),
	of_other_payload: `${gh}.${b64(text(c({ roles: ["admin"] })))}.${gs}`,
	of_other_header: `${b64(text(h({ x: 1 })))}.${gp}.${gs}`,
	one_byte: signed([0x00]),
	truncated: signed(bytes(s, 256).subarray(0, 255)),
	doubled: signed(Buffer.concat([bytes(s, 256), bytes(s, 256)])),
	zero_in_front: signed(bytes(s, 257)),
	zero_behind: signed(Buffer.concat([bytes(s, 256), Buffer.alloc(1)])),
	zero: signed(Buffer.alloc(256)),
	one: signed(bytes(1n, 256)),
	all_ff: signed(Buffer.alloc(256, 0xff)),
	n: signed(bytes(n, 256)),
	n_minus_1: signed(bytes(n - 1n, 256)),
	n_minus_s: signed(bytes(n - s, 256)),
	s_plus_n: signed(bytes(s + n, 257)),
	little_endian: signed(bytes(s, 256).reverse()),
	hex: signed(bytes(s, 256).toString("hex")),
	random: signed(Buffer.concat(Array.from({ length: 8 },
		(_, i) => digest("noise " + i)))),
	length_3072: jwt(head, plain, rsa("rsa3072")),
	sha1: jwt(head, plain, rsa("main", "sha1")),
	sha384: jwt(head, plain, rsa("main", "sha384")),
	sha512: jwt(head, plain, rsa("main", "sha512")),
	sha512_256: jwt(head, plain, rsa("main", "sha512-256")),
	pss: jwt(head, plain, rsa("main", "sha256", PSS)),
	es256: jwt(head, plain, ec("P-256", "sha256")),
	hmac: jwt(head, plain, hmac("sha256", spki)),
	no_digest_info: jwt(head, plain, emsa((d, len) => pad(len, digest(d)))),
	no_null: jwt(head, plain, emsa((d, len) => pad(len,
		Buffer.concat([BARE, digest(d)])))),
	padding_type_2: jwt(head, plain, emsa((d, len) => pad(len, info(d), 0x5a,
		2))),
	padding_type_0: jwt(head, plain, emsa((d, len) => pad(len, info(d), 0,
		0))),
	padding_one_byte_off: jwt(head, plain, emsa((d, len) => {
		const em = pad(len, info(d));
		em[100] = 0xfe;
		return em;
	})),
	junk_behind_digest: jwt(head, plain, emsa((d, len) => pad(len,
		Buffer.concat([info(d), Buffer.alloc(4)])))),
	junk_short_padding: jwt(head, plain, emsa((d, len) => Buffer.concat([
		Buffer.from([0, 1]), Buffer.alloc(8, 0xff), Buffer.from([0]),
		info(d), Buffer.alloc(len - 11 - 51, 0x41)]))),
	first_byte_1: jwt(head, plain, emsa((d, len) => {
		const em = pad(len, info(d));
		em[0] = 1;
		return em;
	})),
	digest_of_payload: jwt(head, plain, () => rsa("main")(gp)),
	e3_cube_root: jwt(h({ kid: "e3" }), plain, cube),
});

// ---- payload's form: I-B8, II-T18 ---------------------------------------------
const pay = (t) => jwt(head, t);
const CASES = ["iss", "aud", "ver", "tid", "oid", "upn", "idp", "exp", "nbf",
	"roles", "groups", "acrs", "hasgroups", "acct",
	"preferred_username", "_claim_names"];
for (const name of CASES)
	put("token_claims", `II_T18_case_twin_${name}`,
		pay(raw(plain, `"${name.toUpperCase()}":"x"`)));
put("token_claims", "II_T18_case_only_Tid", pay(swap(plain, '"tid"', '"Tid"')));
put("token_claims", "II_T18_case_only_OID", pay(swap(plain, '"oid"', '"OID"')));
for (const name of ["oid", "tid", "exp", "aud", "iss", "roles"])
	put("token_claims", `I_B8_duplicate_${name}`,
		pay(raw(plain, `"${name}":${JSON.stringify(plain[name])}`)));
put("token_claims", "I_B8_duplicate_unread", pay(raw(plain, '"x":1,"x":2')));
put("token_claims", "I_B8_duplicate_deep",
	pay(raw(plain, '"x":[{"y":1,"y":1}]')));
put("token_claims", "I_B8_duplicate_escaped",
	pay(raw(plain, `"\\u006fid":"${OID}"`)));
put("token_claims", "I_B8_payload_array", pay(`[${text(plain)}]`));
put("token_claims", "I_B8_payload_empty_array", pay("[]"));
put("token_claims", "I_B8_payload_empty_object", pay("{}"));
put("token_claims", "I_B8_payload_nul", pay(text(plain) + "\0"));
put("token_claims", "I_B8_payload_nul_junk", pay(text(plain) + "\0{}"));
const UNPARSED = "token_claims/token_signature";
each(UNPARSED, "I_B8_", {
	payload_text: pay('"text"'),
	payload_number: pay("1767225600"),
	payload_null: pay("null"),
	payload_nul_only: pay("\0"),
	payload_bom: pay("\xef\xbb\xbf" + text(plain)),
	payload_junk: pay(text(plain) + "x"),
	payload_two: pay(text(plain) + text(plain)),
	payload_cut: pay(text(plain).slice(0, -1)),
	payload_trailing_comma: pay(text(plain).slice(0, -1) + ",}"),
	payload_deep: pay(raw(plain, '"x":' + "[".repeat(3000) +
		"]".repeat(3000))),
	exp_1e309: pay(swap(plain, `"exp":${EXP}`, '"exp":1e309')),
	exp_over_int64: pay(swap(plain, `"exp":${EXP}`,
		'"exp":9223372036854775808')),
	exp_nan: pay(swap(plain, `"exp":${EXP}`, '"exp":NaN')),
	exp_hex: pay(swap(plain, `"exp":${EXP}`, '"exp":0x7fffffff')),
	exp_leading_zero: pay(swap(plain, `"exp":${EXP}`, `"exp":0${EXP}`)),
});
each(UNPARSED, "II_T18_", {
	payload_is_a_token: pay(good),
	u0000_oid: pay(swap(plain, OID, OID + "\\u0000x")),
	u0000_roles: pay(swap(plain, "ssh.user", "ssh.user\\u0000x")),
	u0000_unread: pay(raw(plain, '"x":"\\u0000"')),
	u0000_member: pay(raw(plain, '"oid\\u0000":"x"')),
	nul_byte_in_string: pay(swap(plain, "alice@", "alice\0@")),
	newline_in_string: pay(swap(plain, "alice@", "alice\n@")),
	utf8_overlong: pay(swap(plain, "alice", "alic\xc1\xa5")),
	utf8_surrogate: pay(swap(plain, "alice", "\xed\xa0\x80")),
	utf8_lone: pay(swap(plain, "alice", "alice\x80")),
	utf8_over: pay(swap(plain, "alice", "\xf4\x90\x80\x80")),
	escaped_surrogate: pay(swap(plain, "alice", "\\ud800")),
	latin1: pay(swap(plain, "alice", "zo\xeb")),
});

// ---- claims: types -------------------------------------------------------------
const wrong = { missing: undefined, null: null, text: "x", number: 1,
	true: true, array: [], object: {} };
for (const name of ["iss", "aud", "ver", "tid", "oid", "exp", "iat", "nbf"])
	for (const [what, value] of Object.entries(wrong)) {
		const time = ["exp", "iat", "nbf"].includes(name);
		if (what === "text" && ["iss", "aud", "ver"].includes(name) ||
			what === "number" && time ||
			what === "missing" && name === "nbf")
			continue;
		put("token_claims", `I_B8_${name}_${what}`,
			pay(c({ [name]: value })));
	}
each("token_claims", "I_B8_", {
	exp_string: pay(c({ exp: String(EXP) })),
	exp_real: pay(swap(plain, `"exp":${EXP}`, `"exp":${EXP}.0`)),
	exp_exponent: pay(swap(plain, `"exp":${EXP}`, '"exp":1e15')),
	exp_negative: pay(c({ exp: -1 })),
	exp_int64_max: pay(swap(plain, `"exp":${EXP}`,
		'"exp":9223372036854775807')),
	exp_int64_min: pay(swap(plain, `"exp":${EXP}`,
		'"exp":-9223372036854775808')),
	exp_year_10000: pay(c({ exp: 253402300800 })),
	iat_string: pay(c({ iat: String(IAT) })),
	iat_real: pay(c({ iat: IAT + 0.5 })),
	iat_negative: pay(c({ iat: -1 })),
	nbf_string: pay(c({ nbf: String(IAT) })),
	nbf_negative: pay(c({ nbf: -1 })),
	auth_time_string: pay(c({ auth_time: String(IAT) })),
	oid_short: pay(c({ oid: OID.slice(0, -1) })),
	oid_braces: pay(c({ oid: `{${OID}}` })),
	oid_path: pay(c({ oid: "../../../../../../../../../etc/passwd" })),
	oid_empty: pay(c({ oid: "" })),
	tid_longer: pay(c({ tid: TENANT + "0" })),
	upn_array: pay(c({ upn: ["alice@contoso.com"] })),
	upn_1025: pay(c({ upn: "a".repeat(1025) })),
	preferred_username_number: pay(c({ preferred_username: 1 })),
	idp_object: pay(c({ idp: {} })),
});
each("token_claims", "II_P7_", {
	groups_string: pay(c({ groups: OID })),
	groups_object: pay(c({ groups: { 0: OID } })),
	groups_numbers: pay(c({ groups: [1, 2] })),
	groups_nested: pay(c({ groups: [[OID]] })),
	groups_null: pay(c({ groups: null })),
	groups_1025: pay(c({ groups: Array(1025).fill("g") })),
	groups_long_item: pay(c({ groups: ["g".repeat(1025)] })),
	roles_string: pay(c({ roles: "ssh.user" })),
	roles_null_item: pay(c({ roles: ["ssh.user", null] })),
	roles_true: pay(c({ roles: true })),
});
each("token_claims", "II_P19_", {
	acrs_number: pay(c({ acrs: 1 })),
	acrs_null: pay(c({ acrs: null })),
	acrs_object: pay(c({ acrs: { c1: true } })),
	acrs_numbers: pay(c({ acrs: [1] })),
});

// ---- claims: whose, for whom: I-B7, II-T9 to II-T11, II-T20 ----------------------
each("token_claims", "II_T9_", {
	aud_array: pay(c({ aud: [CLIENT] })),
	aud_array_of_two: pay(c({ aud: [CLIENT, APP2] })),
	aud_array_of_numbers: pay(c({ aud: [1, 2] })),
	aud_array_empty: pay(c({ aud: [] })),
});
each("token_audience", "II_T10_", {
	other_application: pay(c({ aud: APP2 })),
	azp_ours: pay(c({ aud: APP2, azp: CLIENT, appid: CLIENT })),
	empty: pay(c({ aud: "" })),
	uri: pay(c({ aud: `api://${CLIENT}` })),
	upper_case: pay(c({ aud: CLIENT.toUpperCase() })),
	longer: pay(c({ aud: CLIENT + "0" })),
	prefix: pay(c({ aud: CLIENT.slice(0, -1) })),
	blank: pay(c({ aud: CLIENT + " " })),
	list_in_text: pay(c({ aud: `${CLIENT} ${APP2}` })),
	wildcard: pay(c({ aud: "*" })),
});
each("token_issuer", "II_T11_", {
	slash: pay(c({ iss: ISS + "/" })),
	prefix: pay(c({ iss: ISS.slice(0, -1) })),
	other_tenant: pay(c({ iss: `${HOST}${OTHER}/v2.0`, tid: OTHER })),
	other_tenant_our_tid: pay(c({ iss: `${HOST}${OTHER}/v2.0` })),
	v1: pay(c({ iss: `https://sts.windows.net/${TENANT}/` })),
	template: pay(c({ iss: `${HOST}{tenantid}/v2.0` })),
	http: pay(c({ iss: ISS.replace("https", "http") })),
	upper_host: pay(c({ iss: ISS.replace("login", "LOGIN") })),
	upper_tenant: pay(c({ iss: `${HOST}${TENANT.toUpperCase()}/v2.0` })),
	userinfo: pay(c({ iss: ISS.replace("//", "//x@") })),
	empty: pay(c({ iss: "" })),
	newline: pay(c({ iss: ISS + "\n" })),
});
each("token_tenant", "I_B7_", {
	other_tid_our_iss: pay(c({ tid: OTHER })),
	zero_tid: pay(c({ tid: "00000000-0000-0000-0000-000000000000" })),
});
each("token_version", "I_B7_", {
	ver_1: pay(c({ ver: "1.0", iss: `https://sts.windows.net/${TENANT}/` })),
	ver_1_our_iss: pay(c({ ver: "1.0" })),
	ver_2: pay(c({ ver: "2" })),
	ver_2_00: pay(c({ ver: "2.00" })),
	ver_blank: pay(c({ ver: "2.0 " })),
	ver_empty: pay(c({ ver: "" })),
});
each("token_graph", "II_T20_", {
	aud: pay(c({ aud: GRAPH })),
	aud_ver_1: pay(c({ aud: GRAPH, ver: "1.0",
		iss: `https://sts.windows.net/${TENANT}/` })),
	nonce_header: jwt(h({ nonce: "synthetic" }), c({ aud: GRAPH })),
	nonce_header_hashed: (() => {
		const over = `${b64(text(h({ nonce: b64(digest("x")) })))}.${gp}`;
		return `${b64(text(h({ nonce: "x" })))}.${gp}.` +
			b64(rsa("main")(over));
	})(),
});

// ---- times: II-T8 ----------------------------------------------------------------
each("token_not_yet", "II_T8_", {
	iat_61: pay(c({ iat: NOW + 61 })),
	nbf_61: pay(c({ nbf: NOW + 61 })),
	iat_61_no_nbf: pay(c({ iat: NOW + 61, nbf: undefined })),
	iat_next_year: pay(c({ iat: NOW + 31536000, exp: NOW + 31540000 })),
	nbf_year_9999: pay(c({ nbf: 253402300799 })),
	future_and_expired: pay(c({ nbf: NOW + 61, exp: NOW - 1 })),
});
each("token_expired", "I_B8_", {
	exp_now: pay(c({ exp: NOW })),
	exp_past: pay(c({ exp: NOW - 1 })),
	exp_0: pay(c({ exp: 0 })),
	exp_before_iat: pay(c({ exp: IAT - 1 })),
});

fs.writeFileSync(file("jwks.json"), JSON.stringify({ keys: listed }, null, 1) +
	"\n");
fs.writeFileSync(file("tokens.tsv"), rows.join("\n") + "\n");
const bad = rows.filter((r) => r.split("\t")[1] !== "allowed").length;
console.log(`${rows.length} tokens, ${bad} of them to refuse`);
