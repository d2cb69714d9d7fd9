# SPDX-License-Identifier: ISC
# shellcheck shell=dash
#
# Sourced after lib.sh by the kill9_* tests: kill a command before each call
# by which it changes the state directory, and see what the hook then says.

# Every call that changes a file, or makes it last.
CALLS="openat,?open,?creat,write,pwrite64,writev,ftruncate,fchmod,fchmodat,\
fchown,fchownat,fsync,fdatasync,?rename,?renameat,renameat2,?link,linkat,\
?unlink,unlinkat,?mkdir,mkdirat,?rmdir"
CHANGES='O_CREAT|O_WRONLY|O_RDWR|^(f?(chmod|chown|sync|datasync|truncate)|p?write|rename|link|unlink|mkdir|rmdir)[a-z0-9]*\('

command -v strace >/dev/null || skip_all "no strace"
strace -qq -o /dev/null true 2>/dev/null ||
    skip_all "the kernel allows no ptrace here"

runner=directly # or as_alice, for a command that signs in
redo_every=1 # after every n-th kill the command is run again

directly()
{
	"$@"
}

as_alice()
{
	signin "$ALICE" "$@"
}

keep() # NAME
{
	rm -rf "${W:?}/$1" && cp -a "$STATE" "$W/$1"
}

# Bring a kept state back; a name never kept is no state at all.
restore() # NAME
{
	rm -rf "$STATE"
	[ ! -d "$W/$1" ] || cp -a "$W/$1" "$STATE"
}

# Run COMMAND unharmed; $W/points: its changes, each as "CALL K", the K-th
# CALL of the process.
find_points() # COMMAND…
{
	"$runner" strace -qq -y -o "$W/calls" -e trace="$CALLS" \
	    -e signal=none "$@" || return 1
	sed 's/(.*//' "$W/calls" | awk '{print $1, ++n[$1]}' |
	    paste -d '|' - "$W/calls" | grep -F "$STATE" |
	    awk -F '|' -v changes="$CHANGES" '
		{ call = substr($0, length($1) + 2) }
		call ~ changes { print $1 }' >"$W/points"
	[ -s "$W/points" ]
}

# What the hook now says: yes, no, cannot; or what nobody may hear.
answer()
{
	local status=0
	hook alice "$W/k1.pub" >"$W/hook.out" 2>/dev/null || status=$?
	cut -d ' ' -f 1,2 "$W/k1.pub" >"$W/key"
	if [ "$status" -eq 0 ] && cmp -s "$W/key" "$W/hook.out"; then
		echo yes
	elif ! empty "$W/hook.out"; then
		echo nonsense
	else
		case $status in
		0) echo no ;;
		3) echo cannot ;;
		*) echo "exit-$status" ;;
		esac
	fi
}

# One kill, from state $before; silent when all is well.
kill_at() # CALL K COMMAND…
{
	local call="$1" k="$2" status=0 say
	shift 2
	restore "$before"
	"$runner" strace -qq -o /dev/null -e trace="$call" -e signal=none \
	    -e inject="$call:signal=KILL:when=$k" \
	    "$@" >"$W/out" 2>"$W/err" || status=$?
	[ "$status" -ne 137 ] || killed=$((killed + 1))
	say=$(answer)
	case " $allowed " in
	*" $say "*) ;;
	*) echo "killed at $call $k the hook says $say"; return 1 ;;
	esac
	[ $((tried % redo_every)) -eq 0 ] || return 0
	# Nothing left to lift or forget is a no (1), not a fault.
	status=0
	"$runner" "$@" >"$W/out" 2>"$W/err" || status=$?
	[ "$status" -le 1 ] || {
		echo "after $call $k it fails: $(cat "$W/err")"
		return 1
	}
	say=$(answer)
	[ "$say" = "$after" ] || {
		echo "after $call $k and once more the hook says $say"
		return 1
	}
	stray >>"$W/rubbish"
}

# Files that are neither the design's nor temporary ones of ours.
stray()
{
	find "$STATE" -type f ! -name '*.tmp.??????' \
	    \( -name '.*' -o -name '*tmp*' -o -name '*~*' \)
}

# What a kill left is swept once it is an hour old.
swept()
{
	find "$STATE" -name '*.tmp.*' -exec touch -d '2 hours ago' {} +
	aadssh refresh --keys-only && [ -z "$(find "$STATE" -name '*.tmp.*')" ]
}

# walk TITLE BEFORE ALLOWED AFTER COMMAND…: kill COMMAND at each of its
# changes, from state BEFORE.  The hook must then say one of ALLOWED; the
# same COMMAND over what was left must end in AFTER.
walk()
{
	local what="$1" points tried=0 killed=0 call k
	before=$2 allowed=$3 after=$4
	shift 4
	restore "$before"
	ok "$what: unharmed, it changes the state" find_points "$@"
	points=$(wc -l <"$W/points")
	: >"$W/wrong"
	: >"$W/rubbish"
	while read -r call k <&3; do
		tried=$((tried + 1))
		kill_at "$call" "$k" "$@" >>"$W/wrong" || :
	done 3<"$W/points"
	also "$what: killed at $points places, each time old or new" \
	    empty "$W/wrong"
	sed 's/^/# /' "$W/wrong" | head -n 20
	also "$what: nothing lies about but temporary files" empty "$W/rubbish"
	sed 's/^/# /' "$W/rubbish" | sort -u | head -n 20
	ok "$what: and those are swept" swept
	# A waiting sign-in writes a line more or less: a few may not be hit.
	also "$what: nearly all kills hit ($killed)" \
	    [ $((killed * 10)) -ge $((points * 8)) ]
}
