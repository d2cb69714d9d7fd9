# SPDX-License-Identifier: ISC
# shellcheck shell=dash
#
# Sourced after lib.sh by the refresh_* tests: sign-ins without a browser, and
# what the provider answers when they are renewed.

MKSIGNINS=$SRC/${E2E_B-build}/test/tools/mksignins

# curl_idp PATH [ARGUMENT…]: the provider's test interface.
curl_idp()
{
	local _path="$1"
	shift
	curl -sS --cacert "$IDP/ca.pem" "$@" "$AUTHORITY/_test/$_path"
}

idp_fault() # JSON
{
	curl_idp fault -d "$1" >/dev/null
}

idp_clear()
{
	curl_idp fault -X DELETE >/dev/null
}

# How many requests of the token endpoint there were since the last reset.
idp_asked()
{
	curl_idp log | node -e 'let s = "";
	    process.stdin.on("data", (d) => s += d).on("end", () =>
	    console.log(JSON.parse(s).counts.token ?? 0))'
}

idp_log_reset()
{
	curl_idp log -X DELETE >/dev/null
}

# From now on these people are refused at a refresh.
idp_refuse() # CODE USER…
{
	local _code="$1"
	shift
	node - "$IDP/users.json" "$_code" "$@" <<-'END'
	const fs = require("fs");
	const [file, code, ...names] = process.argv.slice(2);
	const users = fs.existsSync(file)
	    ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
	const shipped = JSON.parse(fs.readFileSync("/src/test/idp/users.json",
	    "utf8"));
	for (const name of names)
	    users[name] = { ...(shipped[name]
	        ?? { claims: { roles: ["ssh.user"] } }),
	        refuse: { code: Number(code), at: "refresh" } };
	fs.writeFileSync(file + ".new", JSON.stringify(users));
	fs.renameSync(file + ".new", file);
	END
}

# And these are good again, or as DIR/users.json was told otherwise.
idp_pardon()
{
	rm -f "$IDP/users.json"
}

# crowd AGE CONFIRMED USER…: one sign-in for each, of login userN for
# userN@contoso.com; its key is $W/crowd/LOGIN.pub.
crowd()
{
	local _age="$1" _confirmed="$2" _names="" _name
	shift 2
	for _name; do
		_names="$_names,\"$_name\""
	done
	curl_idp mint -d "{\"users\":[${_names#,}]}" >"$W/minted"
	node -e 'const list = JSON.parse(require("fs").readFileSync(0));
	    for (const { user, oid, refresh_token: t } of list)
	    console.log(user.split("@")[0], oid, user, t, ...process.argv.slice(1))' \
	    "$_age" "$_confirmed" <"$W/minted" >"$W/lines"
	mkdir -p "$W/crowd"
	# Only root can make the state directory.
	[ -d "$STATE" ] || aadssh refresh --keys-only >/dev/null || return 1
	setpriv --reuid aadssh --regid aadssh --clear-groups \
	    "$MKSIGNINS" "$STATE" <"$W/lines" >"$W/keys" || return 1
	while read -r _name _type _blob; do
		echo "$_type $_blob" >"$W/crowd/$_name.pub"
	done <"$W/keys"
}

# users FROM TO: their names.
users()
{
	seq -f 'user%.0f@contoso.com' "$1" "$2"
}

# The state of one sign-in, as signed: active or the reason it ended for.
state_of() # LOGIN
{
	local _file
	for _file in "$STATE/records/$1"/*; do
		sed -n 4p "$_file" | node -e '
		    const r = JSON.parse(require("fs").readFileSync(0));
		    console.log(r.ended?.reason ?? r.reason ?? r.state)'
	done
}

is_state() # LOGIN WANTED
{
	[ "$(state_of "$1")" = "$2" ]
}

renewal_of() # LOGIN
{
	sed -n 4p "$STATE/records/$1"/* | node -e '
	    const r = JSON.parse(require("fs").readFileSync(0));
	    console.log(r.renewal.result)'
}

is_renewal() # LOGIN WANTED
{
	[ "$(renewal_of "$1")" = "$2" ]
}

tokens_left()
{
	find "$STATE/refresh" -type f ! -name '.*' | wc -l
}

# A count of the last run, from the JSON that aadssh refresh --json left in
# $W/out.
count()
{
	node -e 'const o = JSON.parse(require("fs").readFileSync(
	    process.argv[1])); console.log(o[process.argv[2]])' "$W/out" "$1"
}

counted() # NAME NUMBER
{
	[ "$(count "$1")" = "$2" ]
}
