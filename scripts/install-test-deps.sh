#!/usr/bin/env bash
# Looks for what the tests need beyond Go modules and npm packages, and installs what it may: with apt, as root. What stays
# missing is named; the tests that need it are skipped by name, or are an error with WEIR_TEST_STRICT=1.
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
	install_for "the tests of the dashboard" chromium
fi
if ! browser; then
	missing "chromium is missing: the tests of the dashboard in a browser cannot run"
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
