#!/usr/bin/env bash
# What runs inside somebody else's process needs nothing of it: hot.sh WORKDIR CC INCLUDE SOURCE... compiles the sources
# as they are compiled there and looks at what is left to be found elsewhere: mem* and str* at most.
set -euo pipefail
dir=$1 cc=$2 include=$3
shift 3
mkdir -p "$dir"
objects=()
for source in "$@"; do
    object=$dir/$(basename "$source" .c).o
    # The compiler's driver may be two words (ccache cc).
    # shellcheck disable=SC2086
    $cc -std=gnu17 -D_GNU_SOURCE -O2 -fPIC -fvisibility=hidden -fno-stack-protector -I"$include" -c "$source" -o "$object"
    objects+=("$object")
done
ld -r -o "$dir/hot.o" "${objects[@]}"
echo TAP version 13
echo 1..1
wanted=$(nm -u "$dir/hot.o" | awk '{ print $2 }' | grep -vE '^(mem(cpy|move|set|cmp|chr|mem|rchr)|str(len|nlen|cmp|ncmp|chr)|_GLOBAL_OFFSET_TABLE_)$' || true)
if [ -n "$wanted" ]; then
    echo "# needs: $wanted"
    echo 'not ok 1 - the hot path needs nothing but mem* and str*'
    exit 1
fi
echo 'ok 1 - the hot path needs nothing but mem* and str*'
