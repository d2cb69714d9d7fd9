#!/bin/sh
# SPDX-License-Identifier: ISC
#
# damage.sh: does lint see anything?  Each row damages a copy of the tree (and
# of what was built) in one way, and the named check must fail on it, and must
# not have failed before.  Not part of make check; run it after a change here.
# Takes about two minutes.  Ends with "damage: N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0

# The tree without packages and other builds; what lint looks at of build.
mkdir -p "$dir/tree"
tar -c --exclude=./.git --exclude=./build --exclude=node_modules . |
    tar -x -C "$dir/tree"
mkdir -p "$dir/tree/build/test"
cp -a "$B/lib" "$B/cmd" "$B/aadssh" "$B/aadssh-authkeys" "$B/pam_aadssh.so" \
    "$dir/tree/build/"
cp -a "$B/test/tools" "$dir/tree/build/test/"

# complaints TITLE-PART: what lint says under that check.
complaints() {
	awk -v part="$1" '/^(not )?ok - / { on = /^not ok/ && index($0, part) }
	    on' "$dir/out"
}

# expect SCRIPT TITLE-PART: the check must complain about the copy, and not
# in the same words about the tree as it is.
expect() {
	script=$1 part=$2
	B="$B" test/lint/run.sh "$script" >"$dir/out" 2>&1 || :
	complaints "$part" >"$dir/before"
	B=build "$dir/copy/test/lint/run.sh" "$script" >"$dir/out" 2>&1 || :
	complaints "$part" >"$dir/after"
	if [ -s "$dir/after" ] && ! cmp -s "$dir/before" "$dir/after"; then
		echo "ok - $script sees: $what"
		passed=$((passed + 1))
	else
		echo "not ok - damage: $script does not see: $what"
		failed=$((failed + 1))
	fi
}

# damage WHAT COMMAND: in a fresh copy.
damage() {
	what=$1
	rm -rf "$dir/copy"
	cp -a "$dir/tree" "$dir/copy"
	(cd "$dir/copy" && eval "$2")
}

# object FILE C: compile C as the object of FILE.
object() {
	printf '%s\n' "$2" | gcc -w -O2 -fPIE -x c -c -o "build/$1.o" -
}

# program FLAGS C: another hook.
program() {
	# shellcheck disable=SC2086
	printf '%s\n' "$2" | gcc -w -O2 -x c $1 -o build/aadssh-authkeys -
}

plain='int main(int c, char **v) { char b[99]; return snprintf(b, c, "%s", v[0]); }'

damage 'curl in the policy' 'sed -i "3i #include <curl/curl.h>" lib/policy/policy.c'
expect includes 'includes only'
damage 'host/cache.h in core' 'sed -i "3i #include \"host/cache.h\"" lib/core/name.c'
expect includes 'includes only'
damage 'a new folder without a row' 'mkdir lib/new && echo "#include <pwd.h>" >lib/new/a.c'
expect includes 'includes only'
damage 'a row that nobody needs' 'printf "lib/core\tname\t<pwd.h>\n" >>test/lint/includes.tsv'
expect includes 'includes only'

damage 'time() in lib' 'object lib/core/name "#include <time.h>
long f(void) { return time(0); }"'
expect symbols 'refer only'
damage 'getenv() in lib' 'object lib/core/name "#include <stdlib.h>
char *f(void) { return getenv(\"X\"); }"'
expect symbols 'refer only'
damage 'printf() in lib' 'object lib/core/name "#include <stdio.h>
void f(int x) { printf(\"%d\", x); }"'
expect symbols 'refer only'
damage 'exit() in lib' 'object lib/core/name "#include <stdlib.h>
void f(void) { exit(1); }"'
expect symbols 'refer only'
damage 'a fortified syslog() in lib' 'object lib/core/name "void __syslog_chk(int, int, const char *);
void f(void) { __syslog_chk(1, 1, \"\"); }"'
expect symbols 'refer only'
damage 'getpwnam() in lib' 'object lib/core/name "#include <pwd.h>
void *f(void) { return getpwnam(\"a\"); }"'
expect symbols 'refer only'
damage 'the clock outside clock.c' 'object cmd/aadssh/login "#include <time.h>
long f(void) { return time(0); }"'
expect symbols 'refer only'
damage 'a second caller of key_line()' 'object cmd/cli/out "int key_line(void);
int f(void) { return key_line(); }"'
expect symbols 'refer only'
damage 'curl in the hook'"'"'s objects' 'object lib/host/pin "int curl_easy_init(void);
int f(void) { return curl_easy_init(); }"'
expect symbols 'refer only'
damage 'a source that is not in the Makefile' 'cp lib/core/err.c lib/core/err2.c'
expect symbols 'refer only'
damage 'a global in lib' 'object lib/core/name "int counter = 3;"'
expect symbols 'can be written'
damage 'a static variable in lib' 'object lib/core/name "int f(void) { static int n; return ++n; }"'
expect symbols 'can be written'
damage 'a thread-local in lib' 'object lib/core/name "_Thread_local int n = 1; int f(void) { return ++n; }"'
expect symbols 'can be written'
damage 'a function called ssh_new' 'object lib/core/name "int ssh_new(void) { return 1; }"'
expect symbols 'prefix of a library'

damage 'a hook with shared libraries' 'program "-pie -include stdio.h" "$plain"'
expect programs 'static hook none'
expect programs 'ldd shows'
damage 'a hook that runs programs' 'program "-static-pie -include stdio.h" "int main(int c, char **v) { return execv(v[0], v); }"'
expect programs 'start programs'
damage 'a hook that looks up users' 'program "-static-pie" "void *getpwnam(const char *); int main(void) { return getpwnam(\"a\") != 0; }"'
expect programs 'look up users'
damage 'a hook that has a curl_ function' 'program "-static-pie" "int curl_easy(void) { return 1; } int main(void) { return curl_easy(); }"'
expect programs 'cannot fetch'
damage 'a stripped hook' 'strip build/aadssh-authkeys'
expect programs 'cannot fetch'
damage 'a hook that is no PIE' 'program "-static -no-pie -include stdio.h" "$plain"'
expect programs 'PIE'
damage 'an aadssh without BIND_NOW' 'gcc -w -pie -Wl,-z,lazy -x c -o build/aadssh - <<END
int main(void) { return 0; }
END'
expect programs 'BIND_NOW'
damage 'an aadssh without RELRO' 'gcc -w -pie -Wl,-z,norelro -Wl,-z,now -x c -o build/aadssh - <<END
int main(void) { return 0; }
END'
expect programs 'RELRO'
damage 'a PAM module with another library' 'gcc -w -shared -Wl,--no-as-needed -o build/pam_aadssh.so build/cmd/pam_aadssh/*.o -lpam -lsodium'
expect programs 'named libraries'
damage 'a PAM module that exports more' 'gcc -w -shared -fPIC -o build/pam_aadssh.so build/cmd/pam_aadssh/*.o -x c - -lpam <<END
int more(void) { return 1; }
END'
expect programs 'exports'
damage 'a PAM module with an object of lib' 'gcc -w -shared -o build/pam_aadssh.so build/cmd/pam_aadssh/*.o build/lib/core/err.o -lpam'
expect programs 'no object but its own'
damage 'a fork elsewhere in the PAM module' 'object cmd/pam_aadssh/relay "#include <unistd.h>
int f(void) { return fork(); }"'
expect symbols 'refer only'
damage 'an executable stack' 'gcc -w -pie -Wl,-z,execstack -Wl,-z,now -x c -o build/aadssh - <<END
int main(void) { return 0; }
END'
expect programs 'executable stack'
damage 'objects without canaries' 'for o in $(find build/lib build/cmd -name "*.o"); do echo "int x(void) { return 1; }" | gcc -x c -c -o $o -; done'
expect programs 'canaries'

damage 'a header that needs another' 'echo "void f(size_t n);" | sed -i "/^#define AAD_ERR_H/r /dev/stdin" lib/core/err.h'
expect headers 'alone with gcc'
expect headers 'alone with clang'
damage 'a guard used twice' 'sed -i s/AAD_ERR_H/AAD_NAME_H/ lib/core/err.h'
expect headers 'guard of its own'
damage 'a blank too many' 'sed -i "s/int argc/int  argc/" cmd/aadssh/main.c'
expect format 'clang-format'
damage 'a function of 81 lines' '{ echo "int"; echo "f(void)"; echo "{"; yes "	;" | head -n 79; echo "}"; } >>lib/core/name.c'
expect functions '80 lines'

damage 'a reason without a row' 'sed -i "/^| no_record |/d" docs/reasons.md'
expect docs 'one row for each'
damage 'a row twice' 'sed -i "s/^| no_record |.*/&\n&/" docs/reasons.md'
expect docs 'one row for each'
damage 'a wrong class' 'sed -i "s/^| no_record | no |/| no_record | cannot |/" docs/reasons.md'
expect docs 'one row for each'
damage 'a row without a sentence' 'sed -i "s/^| no_record | no |.*/| no_record | no | . |/" docs/reasons.md'
expect docs 'one row for each'
damage 'a reason that is none' 'echo "reason=no_such_reason" >>docs/guide.md'
expect docs 'reasons that pages quote'
damage 'a keyword without its entry' 'sed -i "s/^.It Ic grace Ns/.It Ic graze Ns/" docs/aadssh.conf.5'
expect docs 'every keyword with type'
damage 'a default that moved' 'sed -i "s/^.Ql 12h \\.$/.Ql 13h ./" docs/aadssh.conf.5'
expect docs 'every keyword with type'
damage 'a sample with another default' 'sed -i "s/^#grace = 0/#grace = 1h/" conf/aadssh.conf'
expect docs 'with its default'
damage 'a sample that lacks a keyword' 'sed -i "/^#min_uid/d" conf/aadssh.conf'
expect docs 'with its default'
damage 'a key of an authority without its entry' 'sed -i "s/^.It Ic per_peer Ns/.It Ic per_pier Ns/" docs/aadssh-ca.conf.5'
expect docs 'what only an authority has'
damage 'an authority sample with another default' 'sed -i "s/^#per_peer = 8/#per_peer = 9/" conf/aadssh-ca.conf'
expect docs 'aadssh-ca.conf has every keyword'
damage 'an authority sample with the default of a host' 'sed -i "s|^#dir = .*|#dir = /var/lib/aadssh|" conf/aadssh-ca.conf'
expect docs 'aadssh-ca.conf has every keyword'
damage 'a broken manual page' 'echo ".Xx broken" >>docs/aadssh.1'
expect docs 'mandoc'

damage 'an open debt' 'echo "/* TO""DO: later */" >>lib/core/name.c'
expect text 'open debts'
damage 'the path of this copy' 'echo "/* $PWD/x */" >>lib/core/name.c'
expect text 'developer'
damage 'no SPDX line' 'sed -i 1d lib/core/name.c'
expect text 'SPDX'
damage '81 columns' 'printf "/* %075d */\n" 0 >>lib/core/name.c'
expect text '80 columns'
damage 'a blank at the end' 'echo "int x; " >>lib/core/name.c'
expect text 'blanks'
damage 'a shell script that does not parse' 'echo "if" >>test/check.sh'
expect scripts 'shell script'
damage 'a module that does not parse' 'echo "{" >>test/idp/form.mjs'
expect scripts 'node module'
damage 'a script that cannot be run' 'chmod -x test/check.sh'
expect scripts 'executable'

damage 'an attack without a row' 'sed -i "/^II-K5	/d" test/attacks.tsv'
expect attacks 'has every row'
damage 'an attack that is no row' 'echo "II-K7	n/a	there is no such row at all" >>test/attacks.tsv'
expect attacks 'has every row'
damage 'a test that is not there' 'sed -i "s/II_K6_tenant_keys_age/II_K6_no_such_test/" test/attacks.tsv'
expect attacks 'names is there'
damage 'a test that is never run' 'sed -i "/^	.*II_K6_tenant_keys_age/d" test/unit/test_host.c'
expect attacks 'names is there'
damage 'a title that is not there' 'sed -i "s/:the log holds no token/:no such title/" test/attacks.tsv'
expect attacks 'names is there'
damage 'n/a without a reason' 'sed -i "s/^II-S4	n.a	.*/II-S4	n\/a	no/" test/attacks.tsv'
expect attacks 'names is there'
damage 'a test for an id that the table calls n/a' 'sed -i "s/^II-K6	.*/II-K6	n\/a	a reason of some length that is not true/" test/attacks.tsv'
expect attacks 'named for an attack'

echo "damage: $passed passed, $failed failed"
[ $failed -eq 0 ]
