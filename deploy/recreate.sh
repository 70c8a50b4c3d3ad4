#!/bin/sh
# Changes services' containers for new ones without a gap: sh deploy/recreate.sh web worker-ecg worker-work …
# As many new containers start beside the old ones; once they are healthy, the old ones stop one by one, in their own
# time (SIGTERM, stop_grace_period). Build or pull the images first. `docker compose up` alone stops before it starts.
set -eu
for service in "$@"; do
    old=$(docker compose ps --quiet "$service")
    count=$(echo "$old" | wc -w)
    if [ "$count" -eq 0 ]; then
        echo "$service does not run: start it by docker compose up -d $service" >&2
        exit 1
    fi
    docker compose up --detach --no-deps --no-build --no-recreate --wait --wait-timeout 120 \
        --scale "$service=$((2 * count))" "$service"
    for each in $old; do
        docker stop "$each" >/dev/null
        docker rm "$each" >/dev/null
    done
done
