# Needs Python 3.11 or newer and make. `make help` lists the targets.
SHELL := /bin/sh
STREAM ?= payments
PIP_COMPILE = .venv/bin/uv pip compile pyproject.toml --quiet --python-version 3.11 \
	--python-platform x86_64-manylinux_2_28 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help demo test check format docs screenshots release-files lock clean
.PHONY: bench-board bench-pipeline bench-forest bench-explain bench-feedback bench-loop bench-demo
.PHONY: bench-kafka bench-kill bench-backtest bench-learning bench-detection bench-flood bench-seasonal bench-advisor bench-drafts bench-rules bench-rollouts faults

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

demo:  ## the whole loop on one machine (STREAM=payments or shuttle)
	@.ci/venv runtime
	@.venv/bin/triage demo --stream $(STREAM)

test:  ## everything, as CI runs it
	@.ci/run

check:  ## format, lint, types, layers, quick unit and contract tests: two minutes
	@.ci/check

format:  ## let ruff format and fix what it can
	@.ci/venv dev
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

bench-board:  ## does the board keep its budgets with 100,000 open clusters (PART=, STORE=)
bench-pipeline:  ## events per second and average precision beside river and scikit-learn
bench-forest:  ## speed, memory, snapshots, refits and average precision of the forest beside peers
bench-explain:  ## speed and exactness of explanations, and whether they name true causes
bench-feedback:  ## anomalies found per label, with and without feedback
bench-learning:  ## is any stream ranked worse with feedback than without; are probabilities true
bench-flood:  ## what a flood of alerts costs, explanations included
bench-seasonal:  ## ordinary events at the wrong hour: baselines by hour beside cyclic time
bench-detection:  ## without labels: the ensemble beside its members, scikit-learn and river
bench-loop:  ## the whole loop beside AAD, OMD and a supervised ceiling, quick form (benchmarks/loop)
bench-demo:  ## time to the board, to the first cluster, from verdict to queue; memory
bench-kafka:  ## processor time per event and lateness of the service on Kafka and PostgreSQL
bench-kill:  ## kill -9 at random moments: nothing lost, nothing twice, nothing different
bench-rollouts:  ## configs come and go during kills: nothing lost, nothing twice, nothing different
bench-backtest:  ## a back-test of a million events beside the bare pipeline
bench-advisor:  ## how long "what would this verdict change?" takes at 20,000 open candidates, and how exact
bench-drafts:  ## what a drafted config finds, beside one written by hand
bench-rules:  ## are rules mined from verdicts right on later payments, and is their bound
bench-board bench-pipeline bench-forest bench-explain bench-feedback bench-loop bench-demo bench-kafka bench-kill bench-backtest bench-learning bench-detection bench-flood bench-seasonal bench-advisor bench-drafts bench-rules bench-rollouts:
	@.ci/venv dev
	@.venv/bin/python -m benchmarks.$(@:bench-%=%) $(if $(PART),--part $(PART)) $(if $(STORE),--store $(STORE))

faults:  ## the service on Kafka and PostgreSQL while everything fails, many times: hours (FAULT=, TIMES=, EVENTS=, MINUTES=)
	@.ci/venv dev
	@.venv/bin/python -m benchmarks.faults $(if $(FAULT),--fault $(FAULT)) $(if $(TIMES),--times $(TIMES)) $(if $(EVENTS),--events $(EVENTS)) $(if $(MINUTES),--minutes $(MINUTES))

screenshots:  ## draw every screen in both schemes, three sizes (FOLDER=screens), and those of the docs
	@.ci/venv dev
	@.venv/bin/python -m tests.browser.screens $(or $(FOLDER),screens)
	@.venv/bin/python -m tests.browser.screenshots

docs:  ## write the generated pages of docs/ anew
	@.ci/venv dev
	@.venv/bin/python -m streaming.config.docs docs
	@.venv/bin/python -m streaming.asyncapi docs

release-files:  ## keep the schemas and a backup of this release for the tests of the next
	@.ci/venv dev
	@.venv/bin/python -m tests.integration.release

lock:  ## resolve the dependencies, with hashes (UPGRADE=1: take new versions)
	@.ci/venv dev
	$(PIP_COMPILE) $(if $(UPGRADE),--upgrade) --extra build --output-file requirements.lock
	$(PIP_COMPILE) $(if $(UPGRADE),--upgrade) --extra build --extra dev \
		--constraint requirements.lock --output-file requirements-dev.lock

clean:  ## remove what the set-up, the checks and the tests made (not your data)
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
