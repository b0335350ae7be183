#!/bin/sh
# Cleans up when the launcher is gone, however it went: kill -9 included.
# Reads lines "dir PATH", "group PID" and "gone PID" on standard input; end of file is the launcher's end.
trap '' INT TERM HUP QUIT
dir='' groups=''
while read -r what value; do
    case $what in
    dir) dir=$value ;;
    group) groups="$groups $value" ;;
    gone)
        # Its number may become somebody else's.
        kept=''
        for group in $groups; do [ "$group" = "$value" ] || kept="$kept $group"; done
        groups=$kept
        ;;
    esac
done

alive() {
    for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && return 0; done
    return 1
}
signal() { for group in $groups; do kill -s "$1" -- "-$group" 2>/dev/null; done; }

signal INT
for _ in 1 2 3 4 5 6 7 8 9 10; do
    alive || break
    sleep 0.1
done
signal KILL
# A process that dies right now may still add a file behind rm's back: once more, then.
for _ in 1 2 3 4 5; do
    rm -rf -- "${dir:?}" 2>/dev/null && break
    sleep 0.1
done
