#!/usr/bin/env bash
# Looks for what the tests need beyond Go modules and npm packages, and installs what it may: with apt, as root, and with npm.
# What stays missing is named; the tests that need it are skipped by name, or are an error with WEIR_TEST_STRICT=1.
set -euo pipefail

strict=${WEIR_TEST_STRICT:-0}

have() { command -v "$1" >/dev/null; }

for tool in go gcc node npm; do
	if ! have "$tool"; then
		echo "error: $tool is missing; nothing can be built without it" >&2
		exit 1
	fi
done

# A browser under another name or path is given as CHROMIUM.
browser() { have "${CHROMIUM:-chromium}"; }

may_install() { [[ $(id -u) == 0 ]] && have apt-get; }

# install_for names the tests, then the packages that they need.
install_for() {
	local tests=$1
	shift
	echo "installing $*, for $tests"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq || true # a stale list may do
	apt-get install -y -qq --no-install-recommends "$@" >/dev/null || true
}

# missing names what a test cannot run without.
missing() {
	if [[ $strict == 1 ]]; then
		echo "error: $1" >&2
		exit 1
	fi
	echo "skip: $1" >&2
}

if ! browser && [[ -z ${CHROMIUM:-} ]] && may_install; then
	install_for "the tests in a browser" chromium
fi
if ! browser; then
	missing "chromium is missing: the tests in a browser cannot run"
fi

if ! have python3 && may_install; then
	install_for "the tests of the client for Python" python3
fi
if ! have python3; then
	missing "python3 is missing: the tests of the client for Python cannot run"
fi

# Debian's packages are for Debian's Python.
python=$([[ -x /usr/bin/python3 ]] && echo /usr/bin/python3 || echo python3)
frameworks() { "$python" -c 'import django, fastapi, flask, starlette' 2>/dev/null; }

if ! frameworks && may_install; then
	install_for "the tests of the client for Python in its frameworks" python3-django python3-fastapi python3-flask python3-starlette
fi
if ! frameworks; then
	missing "Django, FastAPI, Flask or Starlette is missing: the tests of the client for Python in them cannot run"
fi

# Some distributions ship an older Redis: the tests look at the version themselves.
if ! { have redis-server && have redis-sentinel; } && may_install; then
	install_for "the tests against Redis" redis-server redis-sentinel
fi
for tool in redis-server redis-sentinel; do
	if ! have "$tool"; then
		missing "$tool is missing: the tests against Redis cannot run"
	fi
done

# Debian has the server's programs in a folder for each version, outside of PATH.
postgres() { have initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

if ! postgres && may_install; then
	install_for "the tests against PostgreSQL" postgresql
fi
if ! postgres; then
	missing "PostgreSQL's server is missing: the tests against it cannot run"
fi

if ! have pgbouncer && may_install; then
	install_for "the test behind PgBouncer" pgbouncer
fi
if ! have pgbouncer; then
	missing "pgbouncer is missing: the test behind it cannot run"
fi

if ! have goaccess && may_install; then
	install_for "the test beside GoAccess" goaccess
fi
if ! have goaccess; then
	missing "goaccess is missing: the test beside GoAccess cannot run"
fi

# ClickHouse is a library of npm's, for Linux on x86-64 alone; another one is given as WEIR_TEST_CLICKHOUSE.
clickhouse=$(dirname "$0")/../tools/clickhouse

# npm writes node_modules/.package-lock.json last: an older one than ours is of another version.
installed() { [[ -e $1/node_modules/.package-lock.json && ! $1/package-lock.json -nt $1/node_modules/.package-lock.json ]]; }

library() {
	[[ -n ${WEIR_TEST_CLICKHOUSE:-} ]] && return
	[[ -e $clickhouse/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so ]] && installed "$clickhouse"
}

if ! library && [[ $(uname -sm) == "Linux x86_64" ]]; then
	echo "installing @chdb/lib-linux-x64-gnu, for the tests against ClickHouse"
	npm ci --prefix "$clickhouse" --no-audit --no-fund >/dev/null || true
fi
if ! library; then
	missing "libchdb.so is missing: the tests against ClickHouse cannot run"
fi

# OpenTelemetry's SDK for Node, and its exporters.
otlp=$(dirname "$0")/../tools/otlp

if ! installed "$otlp"; then
	echo "installing @opentelemetry/sdk-trace-node, for the test of /v1/traces"
	npm ci --prefix "$otlp" --no-audit --no-fund >/dev/null || true
fi
if ! installed "$otlp"; then
	missing "@opentelemetry/sdk-trace-node is missing: the test of /v1/traces with OpenTelemetry's SDK cannot run"
fi

# The SDKs of other vendors.
sdks=$(dirname "$0")/../tools/sdk

if ! installed "$sdks"; then
	echo "installing posthog-js, @segment/analytics-next and others, for the tests with vendors' SDKs"
	npm ci --prefix "$sdks" --no-audit --no-fund >/dev/null || true
fi
if ! installed "$sdks"; then
	missing "the packages of tools/sdk are missing: the tests with vendors' SDKs cannot run"
fi

# Those for Go, a module of their own.
gosdk=$(dirname "$0")/../tools/gosdk

if ! go -C "$gosdk" mod download; then
	missing "the modules of tools/gosdk are missing: the tests with vendors' Go SDKs cannot run"
fi
