# SPDX-License-Identifier: ISC
title="what nobody gets, however aadssh-ca or its signer is asked"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

# NB. there is no provider: what "sign" would let pass ends with exit 3, so
# an exit of 1 or 2 also says that nobody was sent to sign in for nothing.
stage_forged <<-END
	hosts = web
	[login deploy]
	allow = role:ssh.user
	hosts = web
	[login ops]
	allow = role:ssh.user
	hosts = db
	[profile ops]
	for = ops
	max_ttl = 1h
END
need a_key alice id_ed25519 -t ed25519
need new_key k1
before=$(ledger_certs)
# NB. a token that is refused is as good as before.
token=$(forged_token "$ALICE_OID" "$ALICE")
# That was no way to call it.
usage() # TITLE WORD…
{
	local title="$1"
	shift
	ok "sign: $title" refused 2 '^usage: ' alice_signs "$@"
}
# Refused by the signer, whoever speaks to its socket, with a good token.
raw() # TITLE REASON FIELD…
{
	local title="$1" reason="$2"
	shift 2
	ok "signer: $title" refused 1 "^end 1 ($reason)( |\$)" \
	    signer -s sign key="$W/k1.pub" token="$token" "$@" context=x
}
ok "what is good passes: it goes on to sign in" \
    refused 3 . alice_signs --login alice --ttl 1h

# --- logins --------------------------------------------------------------------

tab=$(printf '\t')
lf='
'
long=$(printf 'a%.0s' $(seq 33))
huge=$(printf 'a%.0s' $(seq 20000))
both() # TITLE LOGIN
{
	printf %s "$2" >"$W/name"
	front "I-C2 a login: $1" bad_login --login "$2"
	raw "I-C2 a login: $1" 'bad_login|request_malformed' login=@"$W/name"
}
both "a pattern" '*'
both "a pattern behind" 'al*'
both "a question mark" 'alic?'
both "a negation" '!alice'
both "a blank" 'alice root'
both "a blank in front" ' alice'
both "a blank behind" 'alice '
both "a tab" "alice${tab}root"
both "a hash" 'alice#root'
both "a guest" 'alice_contoso.com#EXT#'
both "a line feed" "alice${lf}root"
both "a carriage return" "$(printf 'alice\r')"
both "an escape" "$(printf '\033[2Jalice')"
both "a quote" 'alice"'
both "a backslash" 'alice\'
both "a principal" 'alice@web'
both "a path" '../alice'
both "a colon" 'alice:x'
both "a percent sign" '%u'
both "an option" '-alice'
both "a digit in front" '0alice'
both "another alphabet" 'аlice'
both "a full-width letter" 'ａlice'
both "no UTF-8" "$(printf 'alice\377')"
both "33 letters" "$long"
both "20,000 letters" "$huge"
# What a shell can't pass on, or the comma of a list takes apart.
printf 'alice\0root' >"$W/name"
raw "I-C2 a login: a NUL" 'bad_login|request_malformed' login=@"$W/name"
printf '\0' >"$W/name"
raw "I-C2 a login: only a NUL" 'bad_login|request_malformed' login=@"$W/name"
raw "I-A4 a login: a comma" bad_login login=alice,root
raw "II-C1 a login: nothing" 'bad_login|request_malformed' login=
raw "II-C1 a login: nothing among others" 'bad_login|request_malformed' \
    login=alice login=
for list in '' , alice, ,alice alice,,deploy; do
	usage "II-C1 an empty login in '$list'" --login "$list"
done
names=$(seq -s , -f 'a%.0f' 257)
usage "II-C2 257 logins" --login "$names"
# shellcheck disable=SC2046 # words
raw "II-C2 257 logins" not_this_login \
    $(seq -f 'login=a%.0f' 257)
raw "I-C16 another's login" not_this_login login=bob
raw "I-C16 one's own and another's" not_this_login login=alice login=bob
raw "I-C16 root" login_never login=root
raw "two profiles in one request" two_profiles login=deploy login=ops

# --- a lifetime ------------------------------------------------------------------

front "I-C6 no time" ttl --ttl 0
front "I-C6 no time, with a unit" ttl --ttl 0h
for ttl in -1 -1h +1h 1.5h 1e3 ' 1h' '1h ' '' h 1x 1hh forever 0x10 \
    18446744073709551616 99999999999999999999999h 9223372036854775807d \
    106751991167301d 153722867280912931m; do
	usage "I-C6 a lifetime of '$ttl'" --ttl "$ttl"
done
raw "I-C6 no time" ttl ttl=0
raw "I-C6 a negative time" ttl ttl=18446744073709551615
raw "I-C6 the least of negative times" ttl ttl=9223372036854775808
# --- options --------------------------------------------------------------------------

for option in --extension=permit-X11-forwarding --permit-agent-forwarding \
    --option=x --force-command=/bin/sh --principals=root --serial=1 \
    --key-id=x --type=host --valid-before=forever --ca-key=x --host -H -O \
    --profile=ops --token=x; do
	usage "I-C3 no such thing to ask for: $option" "$option"
done
usage "a word more" alice
for cidr in '' , 10.0.0.0/8, ,10.0.0.0/8; do
	usage "II-C7 addresses '$cidr'" --source-address "$cidr"
done
for cidr in 10.0.0.1/8 10.0.0.0/33 10.0.0/8 010.0.0.0/8 any 0/0 '*' '!10.0.0.0/8' \
    fd00::1/8 'fd00::/129' '10.0.0.0/8 #' '10.0.0.0/-1'; do
	front "II-C7 an address: $cidr" source_address --source-address "$cidr"
	printf %s "$cidr" >"$W/name"
	raw "II-C7 an address: $cidr" 'source_address|request_malformed' \
	    source=@"$W/name"
done
printf '10.0.0.0/8\nfd00::/8' >"$W/name"
raw "II-C7 two addresses on two lines" 'source_address|request_malformed' \
    source=@"$W/name"
raw "II-C7 addresses with a comma" source_address source=10.0.0.0/8,0.0.0.0/0
usage "an agent, and a certificate elsewhere" \
    --add-to-agent --out /home/alice/y-cert.pub

# --- what is too long -------------------------------------------------------------

ok "nothing of all this is in the ledger" test "$(ledger_certs)" -eq "$before"

# It becomes what the configuration allows.
seconds() # of k1-cert.pub, less what is dated back
{
	local from to
	from=$(ssh-keygen -L -f "$W/k1-cert.pub" |
	    sed -n 's/.*Valid: from \(.*\) to .*/\1/p')
	to=$(ssh-keygen -L -f "$W/k1-cert.pub" |
	    sed -n 's/.*Valid: from .* to //p')
	echo $(($(date -d "$to" +%s) - $(date -d "$from" +%s) - 60))
}
# NB. no longer than sign_in_max_age (12 h) from the token's iat either.
at_most() # SECONDS
{
	[ "$(seconds)" -le "$1" ] && [ "$(seconds)" -ge $(($1 - 30)) ]
}
for ttl in 9223372036854775807 253402300799; do
	ok "I-C6 signer: a lifetime of $ttl s" \
	    issue k1 "$ALICE_OID" "$ALICE" ttl=$ttl
	also "I-C6 ... is what the sign-in allows" at_most 43200
	ok "I-C6 signer: and of a profile" \
	    issue k1 "$ALICE_OID" "$ALICE" login=ops ttl=$ttl
	also "I-C6 ... is what that allows" at_most 3600
done
finish
