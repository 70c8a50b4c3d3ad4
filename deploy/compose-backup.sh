#!/bin/sh
# Backup and restore of the stack in docker-compose.yml, through pipes: nothing is mounted, and the host needs Docker alone.
#   sh deploy/compose-backup.sh save FILE
#   sh deploy/compose-backup.sh restore FILE [replace]
set -eu
umask 077

say() { echo "$*" >&2; }
stop_for() { say "$*"; exit 1; }
backup() { docker compose --progress quiet run --rm -T --no-deps --entrypoint python migrate -m deploy.backup "$@"; }

save() {
    folder=$(dirname -- "$1")
    [ ! -e "$1" ] || stop_for "$1 is there already. Name another file, or remove that one first."
    { [ -d "$folder" ] && [ -w "$folder" ]; } || stop_for "$folder is no folder that can be written to. Name a file in another."
    part=$1.$$.part
    trap 'rm -f -- "$part"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    backup save - >"$part" </dev/null || stop_for "No backup was made. Is the stack up? Start it: docker compose up -d"
    sync -- "$part" 2>/dev/null || sync
    mv -- "$part" "$1"
    say "It is in $1."
}

# What serves and works; databases and brokers go on.
at_work() {
    running=$(docker compose ps --services --status running) || return 1
    echo "$running" | grep -Ev '^(postgres|mariadb|redis|rabbitmq|mailpit|prometheus|grafana)?$' || true
}

restore() {
    [ -f "$1" ] || stop_for "There is no file $1."
    docker compose --progress quiet run --rm -T migrate </dev/null || stop_for "The stack's database does not come up; its words are above."
    # It reads the archive to its end: what is wrong with it is said before anything stops.
    key=$(backup key - <"$1") || stop_for "Nothing was changed."
    [ -n "${2:-}" ] || backup free </dev/null || stop_for "Nothing was changed. With REPLACE=yes that is saved, and replaced."
    working=$(at_work) || stop_for "Nothing was changed: Docker does not say what runs."
    [ -z "$working" ] || docker compose stop $working || stop_for "Nothing was restored, and not all is stopped. Start it again: docker compose up -d"
    if ! backup restore --leave-key ${2:+--replace} - <"$1"; then
        [ -n "${2:-}" ] || [ -z "$working" ] || docker compose start $working
        stop_for "It was not restored. What stood there before a replacement is in the volume data: /data/backups."
    fi
    printf %s "$key" | docker compose --progress quiet run --rm -T --no-deps --entrypoint sh setup -c \
        'cd /run/secrets-of/app && cat >.key && chmod 444 .key && mv .key nightshift_secret_key' ||
        stop_for "The rows are there, and their key is not: sealed mailboxes stay shut. Say the same again with replace."
    docker compose up -d
    say "Restored, and started. Everybody signs in again."
}

# A fourth word would be the rest of a name with a space in it, and a third one that is no "replace" as well.
case "$#:${1:-}:${2:-}:${3:-}" in
    2:save:?*:) save "$2" ;;
    2:restore:?*: | 3:restore:?*:replace | 3:restore:?*:) restore "$2" "${3:-}" ;;
    *) stop_for "Say: make compose-backup FILE=name.tar, or make compose-restore FILE=name.tar [REPLACE=yes]" ;;
esac
