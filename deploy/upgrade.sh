#!/bin/sh
# Changes a running stack for the release that lies here (after `git pull`), while people and runs go on:
#   sh deploy/upgrade.sh
# Images first, then secrets that are new, the tables, workers, fronts, the rest of ours. Not by `docker compose up -d`:
# as setup and migrate have new images, that also stops and starts the databases that wait for them. What breaks off
# leaves what was not reached as it was, and may be begun again.
set -eu
cd "$(dirname "$0")/.."

docker compose build
docker compose run --rm --no-deps setup
docker compose run --rm --no-deps migrate
running=$(docker compose ps --services)
of() {
    echo "$running" | grep -E "^($1)$" || true
}
sh deploy/recreate.sh $(of 'worker-.*') $(of web)
docker compose up --detach --no-deps --no-build $(of 'beat|flower|mqtt') setup migrate demo
