# SPDX-License-Identifier: ISC
#
# What every lint script reads first.  The current directory is the top of
# the tree, B the build directory.
B=${B:-build}

# check TITLE COMMAND...: whatever the command prints is a complaint; so is a
# failing status.
check() {
	title=$1
	shift
	set +e
	said=$(set -e; "$@" 2>&1)
	status=$?
	set -e
	if [ -z "$said" ] && [ $status -eq 0 ]; then
		echo "ok - lint: $title"
		return
	fi
	echo "not ok - lint: $title"
	[ -n "$said" ] || said="ended with status $status"
	printf '%s\n' "$said" | head -n 40 | sed 's/^/    /'
}

# files NAME...: the tree's files of these names, without what is built.
files() {
	for name in "$@"; do
		find . \( -name .git -o -name node_modules -o -path ./build \) \
		    -prune -o -type f -name "$name" -print
	done | sed 's|^\./||' | sort
}

# objects DIRECTORY: the object of each source below it; a source without
# one is not in the Makefile, and nothing would look at it.
objects() {
	found=
	for source in $(files '*.c' | grep "^$1/"); do
		object=$B/${source%.c}.o
		found=1
		if [ -f "$object" ]; then
			echo "$object"
		else
			echo "$source was not built" >&2
			return 1
		fi
	done
	[ -n "$found" ] || { echo "no sources in $1" >&2; return 1; }
}
