#!/bin/sh
# SPDX-License-Identifier: ISC
title="pam_aadssh: what a child that is an attacker's can't do"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

CHILD=/usr/libexec/aadssh/aadssh
NOTES=/tmp/child
OID=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee

mkdir -m 1777 "$NOTES"
install -d -m 0750 -o aadssh -g aadssh "$STATE" "$STATE/denials" \
    "$STATE/denials/login"
stage_pam

# Each byte but the newline; then what a terminal acts on in UTF-8: a C1
# control, a mark of direction, an overlong newline, a sequence that is cut.
{
	awk 'BEGIN { for (i = 0; i < 256; i++)
	    if (i != 10) printf "\\%03o\n", i }' |
	    while read -r octal; do
		# shellcheck disable=SC2059
		printf "$octal"
	    done
	printf '\302\233;\342\200\256;\300\212;\342\226'
} >/tmp/bytes
tr -d '\000' </tmp/bytes >/tmp/text

# What must become of it: in a line for the person, in a name.
masks() # NUMBER
{
	printf "%$1s" '' | tr ' ' '?'
}
printable=$(awk 'BEGIN { for (i = 32; i < 127; i++) printf "%c", i }')
shown="$(masks 31)$printable$(masks 129)?;?;??;??"
named=$(printf '%s' "$(masks 30)$printable$(masks 129)" | cut -c 1-127)

cat >"$CHILD.new" <<END
#!/bin/sh
while IFS= read -r line && [ "\$line" ]; do :; done
if [ "\${4-}" = session ]; then
	printf 'F upn '; cat /tmp/text; echo
	printf 'V AADSSH_UPN='; cat /tmp/text; echo
	for fact in 'exe /bin/evil' 'pid 1' 'start 1' 'opened 1' 'login root' \\
	    'method none' 'source 6.6.6.6' end '' upn; do
		echo "F \$fact"
	done
	for value in PATH=/evil LD_PRELOAD=/evil.so AADSSH_UPN AADSSH_OIDS=x \\
	    =x '' SHELL=/evil; do
		echo "V \$value"
	done
	echo "R OK"
	exit
fi
for letter in I E P; do
	printf '%s ' \$letter; cat /tmp/bytes; echo
done
IFS= read -r line
printf '%s' "\$line" >$NOTES/answer
echo "R OK"
END
chmod 0755 "$CHILD.new"
mv "$CHILD.new" "$CHILD"

ask_new hostile
# shellcheck disable=SC2016 # the remote shell's variables
ssh_ask_begin alice "" -- 'printf "%s\n" "$AADSSH_UPN" >upn; env >env
    : >there; while [ ! -e /tmp/child/leave ]; do sleep 0.05; done'
need wait_for 30 asked 1
reply 1 "$(printf '\001\033[2J$(x)%s\t\342\226\210' "$(masks 400)")"
need wait_for 30 test -e /home/alice/there
session=$(find "$RUN/sessions" -type f -printf '%f\n')

# The error comes first, for sshd collects what is no question; that of 10.6
# has it shown before the question.
printf '%s\n%s\n%s' "$shown" "$shown" "$shown" >"$W/want"
ok "no byte of a control gets into a question" \
    sh -c '{ cat "$1" && sed "1s/^(alice@[^)]*) //" "$2"; } | cmp - "$3"' - \
    "$ask_dir/err" "$ask_dir/prompt.1" "$W/want"
printf 'A [2J$(x)%s' "$(masks 249)" >"$W/want"
ok "... nor into an answer, which has its bounds" \
    cmp "$NOTES/answer" "$W/want"

echo "$named" >"$W/want"
ok "... nor into the environment" cmp /home/alice/upn "$W/want"
ok "... which gets no name but ours" \
    sh -c '! grep -E "evil|^AADSSH_OID|^=" "$1"' - /home/alice/env
ok "... at all" [ "$(grep -c '^AADSSH' /home/alice/env)" -eq 1 ]

start=$(sed 's/.*) //' "/proc/$session/stat" | cut -d ' ' -f 20)
opened=$(sed -n 's/^opened //p' "$RUN/sessions/$session")
cat >"$W/want" <<-END
aadssh-session 1
pid $session
start $start
exe $SSHD_EXE
opened $opened
login alice
source 127.0.0.1
upn $named
method keyboard-interactive
end
END
ok "... nor into the session file, where it chooses names only" \
    cmp "$RUN/sessions/$session" "$W/want"
log_mark
touch "$NOTES/leave"
need ssh_ask_end
ok "the log has one line of it" wait_for 30 log_has event=logout login=alice
ok "... of plain text" \
    sh -c '! tail -n 3 "$1" | LC_ALL=C grep -q "[^ -~]\|#0"' - "$SYSLOG"
ok "... where a name ends no field" log_has 'upn="' "\" source=127.0.0.1"

# Anything at all, many times: nobody gets in, nothing stays.
cat >"$CHILD.new" <<END
#!/bin/sh
n=\$(head -c 2 /dev/urandom | od -An -tu2)
head -c \$((n / 16)) /dev/urandom
echo R OK
END
chmod 0755 "$CHILD.new"
mv "$CHILD.new" "$CHILD"
got_in=0
for _ in 1 2 3 4 5 6 7 8; do
	ask_new random
	reply 1 ''
	echo >"$ask_dir/answer"
	! ssh_ask bob "" -o NumberOfPasswordPrompts=3 >/dev/null 2>&1 ||
	    got_in=$((got_in + 1))
done
ok "random bytes let nobody in" [ "$got_in" -eq 0 ]
ok "... and leave no session" \
    [ -z "$(find "$RUN/sessions" -mindepth 1)" ]
ok "... nor a child" sh -c '! pgrep -u aadssh'
finish
