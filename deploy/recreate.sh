#!/bin/sh
# Changes services' containers for new ones without a gap: sh deploy/recreate.sh worker-ecg worker-work … web
# As many new containers start beside the old ones; once they are healthy, the old ones stop one by one, in their own
# time (SIGTERM, stop_grace_period). Build or pull the images first. `docker compose up` alone stops before it starts.
# New ones that do not get healthy say their last words and go again, and the old ones go on.
set -eu

give_up() {
    for each in $(docker compose ps --all --quiet "$1"); do
        case "$old" in
            *"$each"*) ;;
            *)
                docker logs --tail 5 "$each" >&2 || true
                docker rm --force "$each" >/dev/null
                ;;
        esac
    done
    echo "$1 in new containers does not get healthy; their last words are above. The old ones go on." >&2
    exit 1
}

for service in "$@"; do
    old=$(docker compose ps --quiet "$service")
    count=$(echo "$old" | wc -w)
    if [ "$count" -eq 0 ]; then
        echo "$service does not run: start it by docker compose up -d $service" >&2
        exit 1
    fi
    docker compose up --detach --no-deps --no-build --no-recreate --wait --wait-timeout 120 \
        --scale "$service=$((2 * count))" "$service" || give_up "$service"
    for each in $old; do
        docker stop "$each" >/dev/null
        docker rm "$each" >/dev/null
    done
done
