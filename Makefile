# Everything runs from here: no root, no services, no environment variables needed. Plain `make` lists the targets.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes
# FILE comes to the shell by its environment, so that a name may hold whatever names hold.
REPLACED = $(if $(REPLACE),$(if $(filter-out yes,$(REPLACE)),$(error Say REPLACE=yes, or leave it out),replace))
COMPILE := $(PY) -m uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate -p 3.11

.DEFAULT_GOAL := help
.PHONY: help setup run test lint fix lock bench bench-engine bench-scans bench-energy bench-tickets backup restore compose-backup compose-restore compose-move faults compose-test train

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/base ## Make .venv with what a run needs (PYTHON=… names the Python)
	@echo "Set up. Next: make run"

run: $(VENV)/base ## Start everything and say where to go (PORT=5002 moves it; Ctrl-C stops it)
	@exec $(PY) -m deploy.processes

test: $(VENV)/test ## Run the tests (ARGS='-k broker' picks some)
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/test ## Check style, types and the arrows between packages
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

fix: $(VENV)/test ## Put right what can be put right by itself
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format
	@$(PY) -m deploy.readme

lock: $(VENV)/test ## Lock requirements/*.in into requirements/*.txt, with hashes
	$(COMPILE) requirements/base.in -o requirements/base.txt >/dev/null
	$(COMPILE) -c requirements/base.txt requirements/web.in -o requirements/web.txt >/dev/null
	$(COMPILE) -c requirements/base.txt requirements/ecg.in -o requirements/ecg.txt >/dev/null
	$(COMPILE) --override requirements/no-db2-driver.txt -c requirements/base.txt requirements/test.in -o requirements/test.txt >/dev/null
	$(COMPILE) -c requirements/base.txt -c requirements/test.txt requirements/bench.in -o requirements/bench.txt >/dev/null
	$(COMPILE) -c requirements/base.txt requirements/train.in -o requirements/train.txt >/dev/null
	$(COMPILE) -c requirements/base.txt requirements/db2.in -o requirements/db2.txt >/dev/null
	$(COMPILE) -c requirements/base.txt requirements/hyper.in -o requirements/hyper.txt >/dev/null
	$(COMPILE) requirements/sbom.in -o requirements/sbom.txt >/dev/null
	$(COMPILE) requirements/statsforecast.in -o requirements/statsforecast.txt >/dev/null

bench: $(VENV)/test ## Measure, beside a peer (var/bench/*.json)
	@$(PY) -m tests.bench

bench-engine: $(VENV)/bench ## Measure the engine beside six others (16 minutes, then its losses; ARGS=--quick: 4)
	@$(PY) -m tests.bench.engine $(ARGS)

bench-scans: $(VENV)/test ## Measure the scans and the mail beside bare SQL and SMTP (10 minutes; ARGS=--quick: 2)
	@$(PY) -m tests.bench.scans $(ARGS)

bench-energy: $(VENV)/test $(VENV)/statsforecast ## Measure forecasts, anomalies, imports and storage beside their peers (var/bench/energy.json; ARGS=--quick)
	@$(PY) -m tests.bench.energy $(ARGS)

bench-tickets: $(VENV)/test ## Measure tickets: scan, lists and search of a million, 50 agents, the assistant (9 minutes; ARGS=--quick: 2)
	@$(PY) -m tests.bench.tickets $(ARGS)

backup: $(VENV)/base ## Save rows, files and their key in one file (FILE=name.tar names it; while Nightshift runs, too)
	@$(PY) -m deploy.backup save $${FILE:+"$$FILE"}

restore: $(VENV)/base ## Put a backup where nothing is (FILE=name.tar; REPLACE=yes saves what is there first, and replaces it)
	@$(PY) -m deploy.backup restore $(addprefix --,$(REPLACED)) $(if $(FILE),"$$FILE",$(error Say which: make restore FILE=name.tar))

compose-backup: ## Save the stack of docker-compose.yml while it runs (FILE=name.tar)
	@sh deploy/compose-backup.sh save "$${FILE:-nightshift-$$(date +%Y%m%d-%H%M%S).tar}"

compose-restore: ## Put a backup into the stack, and start it (FILE=name.tar; REPLACE=yes as above)
	@sh deploy/compose-backup.sh restore "$$FILE" $(REPLACED)

compose-move: $(VENV)/base ## Move all that `make run` holds, once it is stopped, into the stack (REPLACE=yes as above)
	@file="$${FILE:-$${NIGHTSHIFT_VAR:-var}/backups/moved-$$(date +%Y%m%d-%H%M%S).tar}"; \
	  $(PY) -m deploy.backup save --still "$$file" && sh deploy/compose-backup.sh restore "$$file" $(REPLACED)

faults: $(VENV)/test ## Break everything that can break and count what is lost (reckoned an hour; ARGS='--only 1,3 --seed 7')
	@$(PY) -m tests.faults $(ARGS)

compose-test: $(VENV)/test ## Try the whole stack of containers: tour, kills, rolling recreate, backup, restore (needs Docker; ARGS=--quick)
	@$(PY) -m tests.stack $(ARGS)

train: $(VENV)/train ## Build the ECG network afresh (MITDB=… names the recordings; installs TensorFlow)
	@$(PY) -m tasks.ecg.training

$(PY):
	@sh deploy/venv.sh $(VENV) "$(PYTHON)"

$(VENV)/base: requirements/base.txt | $(PY)
	@echo "Installing what a run needs (700 MB on disk, about a minute)"
	@$(PIP) -r $< || { sh deploy/venv.sh explain; exit 1; }
	@touch $@

$(VENV)/test: requirements/test.txt $(VENV)/base
	@echo "Installing what the tests need"
	@$(PIP) -r $< || { sh deploy/venv.sh explain; exit 1; }
	@touch $@

$(VENV)/bench: requirements/bench.txt $(VENV)/test
	@echo "Installing the peers of the bench"
	@$(PIP) -r $< || { sh deploy/venv.sh explain; exit 1; }
	@touch $@

$(VENV)/statsforecast: requirements/statsforecast.txt | $(PY)
	@echo "Installing statsforecast, the peer of bench-energy, in an environment of its own"
	@$(PY) -m venv --clear $@
	@$@/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r $< || { rm -rf $@; sh deploy/venv.sh explain; exit 1; }
	@touch $@

$(VENV)/train: requirements/train.txt $(VENV)/base
	@echo "Installing TensorFlow and what training needs (about 2 GB on disk)"
	@$(PIP) -r $< || { sh deploy/venv.sh explain; exit 1; }
	@touch $@
