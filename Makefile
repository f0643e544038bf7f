# `make help` says what there is. Needs Go, gcc (DuckDB is linked in) and Node.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
LINT := go tool -modfile=tools/go.mod golangci-lint

# What can be set: make torture KILLS=100 HOT=redis COLD=clickhouse, make fuzz TIME=5m, make run LISTEN=:9000 DATA=/srv/weir.
KILLS ?= 30
HOT ?= pebble
COLD ?= duckdb
TIME ?= 60s
LISTEN ?= 127.0.0.1:8080
DATA ?= ./data
EVENTS ?= 10000000

WEB_SOURCES := $(shell find web/src web/snippet web/public web/build -type f ! -name schema.d.ts 2>/dev/null) \
	$(addprefix web/,index.html openapi.json package.json package-lock.json tsconfig.json vite.config.ts)

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[36m%-10s\033[0m %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: build ## Build and serve on 127.0.0.1:8080 with demo projects (LISTEN, DATA)
	bin/weir serve --demo --listen $(LISTEN) --data $(DATA)

.PHONY: build
build: web/dist/index.html ## Build bin/weir, with the dashboard inside
	go build -ldflags '$(LDFLAGS)' -o bin/weir ./cmd/weir

# npm writes node_modules/.package-lock.json last, so it stands for a whole install.
web/node_modules/.package-lock.json: web/package.json web/types/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run --silent build
	touch $@

.PHONY: web
web: web/node_modules/.package-lock.json ## Check, test and build the dashboard
	cd web && npm run --silent lint && npm run --silent test
	rm -f web/dist/index.html
	$(MAKE) --no-print-directory web/dist/index.html

clients/node/test/frameworks/node_modules/.package-lock.json: clients/node/test/frameworks/package-lock.json
	npm ci --prefix clients/node/test/frameworks --no-audit --no-fund
	touch $@

# The system's Python is the one that has the frameworks, as packages of Debian's.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)

.PHONY: clients
clients: build clients/node/test/frameworks/node_modules/.package-lock.json ## Test the clients: Go's in frameworks, those for Node and Python on a server too
	cd client/frameworks && go test ./...
	WEIR_BIN=$(CURDIR)/bin/weir node --test clients/node/test/*.test.js
	! command -v $(PYTHON) >/dev/null || { cd clients/python && WEIR_BIN=$(CURDIR)/bin/weir $(PYTHON) -B -m unittest discover; }

# The race detector makes Go code several times as slow. It runs on each package that has goroutines or locks, on each new
# package, and on the whole binary in some stories (RACED_STORIES). PLAIN are packages without; RACED_TOO names tests of
# them that need it all the same: what writes to a cold tier, what many do at once over HTTP. ALONE are tests elsewhere,
# in the packages ALONE_IN, that compute for long in one goroutine, or repeat on other servers what one server
# (TestStandalone) proves with the detector.
PLAIN := . ./cmd/weir ./internal/accesslog ./internal/alert ./internal/clickhousetest ./internal/codec ./internal/cold/... ./internal/dump ./internal/httpd ./internal/importer \
	./internal/postgrestest ./internal/redistest ./internal/report ./internal/servertest ./internal/stats ./internal/transfer ./internal/visit ./internal/wire/protocols \
	$(addprefix ./internal/wire/,amplitude ga4 item jsonscan matomo mixpanel native openpanel otlp plausible posthog segment sharedpath umami)
RACED_TOO := ^Test(Store|Server)$$/^Write$$|Stream|AtOnce|WhileItIsRead
RACED_TOO_IN := ./internal/cold/duckdb ./internal/cold/clickhouse ./internal/httpd
RACED_STORIES := ATeamFromTheFirstStart|AnEventIsSeenByTheQuery|ALoginAtOneNode|LiveFeedReachesOtherNodes|AStopInTheMiddleOfSending|^TestTortureLosesAndDoublesNothing$$
ALONE := WithLittleMemoryKeepsAllPromises OfEventsOutOfOrderAreRight BlockCacheFullOfIDs KeptVisitTakesAtMost AMillionIdsTakeTheMemory LargeEventsAreReadBack \
	FourNodesAtFiveTimesTheLimit DevicesOfEventsOutOfOrderCountOnce IDsAreToldApartWhenTheirFiltersAreFull IdleVisitsLeaveTheStateOfAShard IdsAreToldApartExactly ^TestCluster$$ ^TestSentinel$$ \
	AnEventTakesFewAllocations EventsTakeFewBytes VisitsTakeFewRows ACopyHasAllAndCanBeCopiedBack AFloodOfUnknownKeysPushesNoRealOneOut AccountsAreRefusedForBadInput KeptVisitsStayWithinTheirBytes
ALONE_IN := ./bench ./internal/drain ./internal/fleet/redis ./internal/hot/pebble ./internal/hot/redis ./internal/ingest ./internal/meta
# names joins words of a list to one pattern.
space := $(subst ,, )
names = $(subst $(space),|,$(strip $(1)))
RACED = $(filter-out $(shell go list $(PLAIN)) %/e2e,$(shell go list ./...))

# GOTEST prints what go test prints, and keeps the times: the slowest tests are shown at the end. `make lint` vets.
GOTEST = go tool -modfile=tools/go.mod gotestsum --format standard-quiet --hide-summary=skipped --jsonfile
TESTFLAGS := -vet=off -timeout 15m

# Two parts run at a time, each of two packages, since many tests wait. e2e comes last: it needs what the others build,
# starts servers, kills them and looks at a page.
.PHONY: test
test: ## Everything CI runs: dashboard, lint, clients, Go tests with the race detector, whole binary (WEIR_TEST_STRICT=1: skip nothing)
	scripts/install-test-deps.sh
	mkdir -p bin/tests
	$(MAKE) --no-print-directory web
	$(MAKE) --no-print-directory -j2 --output-sync=target lint test-race test-plain test-alone clients
	$(MAKE) --no-print-directory test-e2e
	@echo 'The slowest tests:'
	@cat bin/tests/*.json | go tool -modfile=tools/go.mod gotestsum tool slowest --threshold 1s --num 20

.PHONY: test-race test-plain test-alone test-e2e
test-race:
	WEIR_TEST_META=sqlite $(GOTEST) bin/tests/race.json -- $(TESTFLAGS) -race -skip '$(call names,$(ALONE))' $(RACED)
	$(GOTEST) bin/tests/raced-too.json -- $(TESTFLAGS) -race -run '$(RACED_TOO)' $(RACED_TOO_IN)
	go build -race -o bin/weir-race ./cmd/weir
	GORACE=halt_on_error=1 WEIR_BIN=$(CURDIR)/bin/weir-race WEIR_TORTURE_KILLS=3 $(GOTEST) bin/tests/raced-stories.json -- $(TESTFLAGS) -run '$(RACED_STORIES)' ./e2e
test-plain:
	$(GOTEST) bin/tests/plain.json -- $(TESTFLAGS) $(PLAIN)
	WEIR_TEST_META=postgres $(GOTEST) bin/tests/meta-postgres.json -- $(TESTFLAGS) ./internal/meta
test-alone:
	$(GOTEST) bin/tests/alone.json -- $(TESTFLAGS) -run '$(call names,$(ALONE))' $(ALONE_IN)
test-e2e: build
	WEIR_BIN=$(CURDIR)/bin/weir WEIR_TORTURE_KILLS=$${WEIR_TORTURE_KILLS:-5} $(GOTEST) bin/tests/e2e.json -- $(TESTFLAGS) -parallel 6 ./e2e

.PHONY: lint
lint: ## Lint the Go code
	$(LINT) run

.PHONY: fmt
fmt: ## Format the Go code
	$(LINT) fmt

.PHONY: bench
bench: ## Go benchmarks; bench/README.md has those of the whole pipeline
	@for dir in $$(grep -rl --include='*_test.go' '^func Benchmark' internal client bench cmd e2e | xargs -n1 dirname | sort -u); do \
		go test -run '^$$' -bench . -benchtime 1s ./$$dir; \
	done

.PHONY: bench-compare
bench-compare: ## Fill both cold tiers with EVENTS events (10000000) of two mixes, ask each kind of question beside raw SQL, and write the table of bench/README.md; COLD=duckdb: that one alone
	WEIR_BENCH_EVENTS=$(EVENTS) WEIR_BENCH_COLD=$(if $(filter-out file,$(origin COLD)),$(COLD)) WEIR_BENCH_TABLE=$(CURDIR)/bench/README.md \
		go test -timeout 12h -run '^$$' -bench '^BenchmarkCompare$$' -benchtime 1x -v ./bench

.PHONY: torture
torture: ## Kill the server KILLS times (30) under load, set its clock, restore its stores, then look for every event; HOT=redis, COLD=clickhouse: kill nodes and their stores
	scripts/install-test-deps.sh
	WEIR_TEST_STRICT=1 WEIR_TORTURE_HOT=$(HOT) WEIR_TORTURE_COLD=$(COLD) WEIR_TORTURE_KILLS=$(KILLS) go test -count 1 -timeout 60m -v -run 'Torture|IsStoredOnce|WithoutTokens|Clock|LostItsTail|OfDifferentMoments' ./e2e

.PHONY: test-long
test-long: ## The tests that have a short form in CI, in their long one: attacks, equal answers of all cold tiers, all timezones (an hour)
	scripts/install-test-deps.sh
	WEIR_TEST_LONG=1 WEIR_ATTACK=$${WEIR_ATTACK:-8} go test -count 1 -timeout 60m -v -run 'Bombs|IdleSockets|SameAnswers|SeenByTheQuery|FollowerIsKilled|ClickHouseOutage|SDKsDeliver' ./e2e
	WEIR_TEST_LONG=1 go test -count 1 -timeout 60m -run 'TakeNoMoreMemory|ReplayAreTheTruth' ./internal/wire/protocols ./cmd/weir
	WEIR_TEST_LONG=1 go test -count 1 -timeout 60m -v -run AYearOf ./internal/alert ./internal/report
	WEIR_TEST_LONG=1 go test -count 1 -timeout 60m -run "BothSides|OverAServer" ./internal/transfer
	WEIR_TEST_LONG=1 go test -count 1 -timeout 60m -run DoneWhollyOrNotAtAll ./internal/meta
	WEIR_TEST_LONG=1 go test -count 1 -timeout 60m ./internal/cold/...

.PHONY: soak
soak: ## 10 minutes of load, a burst and an import in 512 MiB while a browser asks; WEIR_SOAK_STEADY=30s, _RATE, _DEVICES, _BURST, _IMPORT, _MEMORY: another
	WEIR_SOAK=1 go test -count 1 -timeout 120m -v -run TestSoak ./e2e

.PHONY: fuzz
fuzz: ## Fuzz each parser for TIME (60s)
	@grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' internal client cmd | sort | while IFS=: read -r file func; do \
		go test -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(TIME) "./$${file%/*}"; \
	done

.PHONY: clean
clean: ## Remove what was built; data/ stays
	rm -rf bin web/node_modules web/types/node_modules
	find web/dist -mindepth 1 ! -name .gitkeep -delete
