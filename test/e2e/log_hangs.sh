#!/bin/sh
# SPDX-License-Identifier: ISC
title="a log daemon that hangs, or is gone, keeps nobody waiting"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

command -v perl >/dev/null || skip_all "no perl"
stage
need signin "$ALICE" aadssh login alice "$W/k1.pub"

# A daemon in /dev/log's place that never reads, its queue full.
hang() # dgram|stream
{
	mv /dev/log "$W/log"
	perl -MSocket -e '
		my $stream = $ARGV[0] eq "stream";
		my $type = $stream ? SOCK_STREAM : SOCK_DGRAM;
		my $to = sockaddr_un("/dev/log");
		my ($s, @all);
		socket($s, AF_UNIX, $type, 0) && bind($s, $to) or die $!;
		listen($s, 0) or die $! if $stream;
		chmod 0666, "/dev/log" or die $!;
		for (1 .. 10000) {
			socket(my $c, AF_UNIX, $type | 04000, 0) or die $!;
			connect($c, $to) or last;
			last if !$stream && !defined(send($c, "x", 0));
			push @all, $c;
		}
		open(my $ready, ">", $ARGV[1]) or die $!;
		close($ready);
		sleep' "$1" "$W/full.$1" &
	hung=$!
	wait_for 30 test -e "$W/full.$1"
}

unhang()
{
	kill "$hung"
	wait "$hung" 2>/dev/null || :
	mv "$W/log" /dev/log
}

answers() # PUBFILE STATUS COMMAND...
{
	local status
	status=0
	hook alice "$1" timeout -s KILL 60 >"$W/hook.out" || status=$?
	[ "$status" -eq "$2" ] && shift 2 && "$@"
}

is_k1()
{
	cut -d ' ' -f 1,2 "$W/k1.pub" | cmp - "$W/hook.out"
}

for type in dgram stream; do
	need hang "$type"
	ok "a yes comes ($type)" answers "$W/k1.pub" 0 is_k1
	ok "and a no ($type)" answers "$W/k2.pub" 0 empty "$W/hook.out"
	# Before the fences syslog(3) connects again, and sends again.
	mv "$CONF" "$CONF.away"
	ok "and what can't be told ($type)" answers "$W/k1.pub" 3 \
	    empty "$W/hook.out"
	mv "$CONF.away" "$CONF"
	unhang
done
mv /dev/log "$W/log"
ok "a yes comes without a log socket" answers "$W/k1.pub" 0 is_k1
mv "$W/log" /dev/log

# sshd logs to a file here, or it would wait itself.
need stop_sshd
stage_pam
quickly() # COMMAND…
{
	local status start
	status=0
	start=$(date +%s)
	"$@" || status=$?
	[ $(($(date +%s) - start)) -le 12 ] && return "$status"
}

is_in()
{
	[ "$(timeout -s KILL 100 ssh -F "$W/ssh_config" -o BatchMode=yes \
	    -i "$W/k1" alice@localhost id -un </dev/null)" = alice ]
}

no_session()
{
	! pgrep -f '^sshd: alice'
}

for type in dgram stream; do
	rm -f "$W/full.$type"
	need aadssh forget alice
	need ssh_signin "$ALICE" alice "$W/k1"
	need hang "$type"
	ok "a session opens, its login confirmed ($type)" quickly is_in
	ok "... and ends, nobody waits to log it ($type)" \
	    wait_for 8 no_session
	ok "the record says so ($type)" sh -c \
	    'grep -q "\"by\":\"session\"" "$1"/records/alice/*' - "$STATE"
	ok "a live check comes to its end ($type)" quickly aadssh refresh
	ok "a denial is made ($type)" quickly aadssh deny --login alice
	need aadssh undeny --login alice
	unhang
done
finish
