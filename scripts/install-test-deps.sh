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

if ! browser && [[ -z ${CHROMIUM:-} && $(id -u) == 0 ]] && have apt-get; then
	echo "installing chromium, for the tests of the dashboard"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq || true # a stale list may do
	apt-get install -y -qq --no-install-recommends chromium >/dev/null || true
fi

if ! browser; then
	what="chromium is missing: the tests of the dashboard in a browser cannot run"
	if [[ $strict == 1 ]]; then
		echo "error: $what" >&2
		exit 1
	fi
	echo "skip: $what" >&2
fi
