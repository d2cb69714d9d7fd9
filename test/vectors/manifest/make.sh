#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make.sh DIR: copy the newest manifest of the authority in DIR, its [state]
# dir, and make others of it.
set -eu
from=$1
cd "$(dirname "$0")"
cp "$from/public/current/manifest.json" real.json
chmod 0644 real.json
# no key, no file, another version, a size that is none, a time that is none
sed 's/"user_ca":\[[^]]*\]/"user_ca":[]/' real.json >no_key.json
sed 's/"files":{.*}},"/"files":{},"/' real.json >no_file.json
sed 's/"v":1/"v":2/' real.json >newer.json
sed 's/"size":[0-9]*/"size":-1/' real.json >size.json
sed 's/"issued":"[^"]*"/"issued":"yesterday"/' real.json >issued.json
sed 's/"stage":"active"/"stage":"none"/' real.json >stage.json
