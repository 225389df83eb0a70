#!/usr/bin/env bash
# What CI does for a mesh, one stage a call; the workflow beside this file calls the same stages.
#
#   mesh-ci.sh check                    declarations, transforms, policies, waivers
#   mesh-ci.sh docs                     every product, port and column is described
#   mesh-ci.sh plan REF [FILE]          what the change does to whom, as markdown
#   mesh-ci.sh impact REF [FILE]        what the change does to data, beside the published; markdown
#   mesh-ci.sh tests                    pytest; without tests only if tests_exist is off
#   mesh-ci.sh security                 bandit on the code, pip-audit on what is installed
#   mesh-ci.sh deploy ENVIRONMENT       run $MESH_DEPLOY, then build (not in production)
#   mesh-ci.sh verify ENVIRONMENT       post-deploy: check again, audit what is published
#   mesh-ci.sh all REF                  the stages before a deployment
#
# A stage that could not run is a failure and says so. MESH_OFFLINE=report turns only that into a
# report: for machines without a network, where pip-audit cannot ask for known vulnerabilities.
set -euo pipefail

DESCRIBED='\(policy (description|limitations|columns_described):'

TESTED='(policy tests_exist:'

say() { printf '== %s\n' "$*" >&2; }

not_run() {
  say "NOT RUN: $1: $2"
  [ -n "${GITHUB_STEP_SUMMARY:-}" ] && printf '**Not run:** %s: %s\n' "$1" "$2" >> "$GITHUB_STEP_SUMMARY"
  [ "${MESH_OFFLINE:-fail}" = report ]
}

check() { mesh check; }

docs() {
  # Whatever the severity of these policies; a workspace that does not load is not complete.
  local found status=0
  found=$(mesh check 2>&1) || status=$?
  if printf '%s\n' "$found" | grep -E "$DESCRIBED"; then
    say "documentation is not complete"
    return 1
  fi
  if [ "$status" -ne 0 ]; then
    printf '%s\n' "$found" >&2
    say "documentation could not be judged: mesh check fails"
    return "$status"
  fi
  say "documentation is complete"
}

plan() {
  local reference=${1:?"plan needs a git ref, or: published"} file=${2:-/dev/stdout}
  mesh plan --against "$reference" --format markdown > "$file"
}

impact() {
  # Where the store is: it builds what changed, and all that reads it, in a sandbox of its own.
  local reference=${1:?"impact needs a git ref, or: published"} file=${2:-/dev/stdout}
  mesh sandbox test --against "$reference" --format markdown > "$file"
}

tests() {
  local found report status=0
  if [ -n "$(find tests -name 'test_*.py' -o -name '*_test.py' 2> /dev/null)" ]; then
    report=$(mktemp)
    python -m pytest -q --junitxml="$report" tests || status=$?
    [ "$status" -ne 5 ] || say "the files in tests have no test: code without tests is not merged"
    if [ "$status" -eq 0 ] && [ "$(counted tests "$report")" -le "$(counted skipped "$report")" ]; then
      say "every test in tests was skipped: code without tests is not merged"
      status=1
    fi
    rm -f "$report"
    return "$status"
  fi
  # Whatever the severity of the policy; only where it is off may there be none.
  found=$(mesh check 2>&1) || status=$?
  if printf '%s\n' "$found" | grep -qF "$TESTED" || [ "$status" -ne 0 ]; then
    say "no tests in a folder tests: code without tests is not merged (or say why not: policy tests_exist, off)"
    return 1
  fi
  say "no tests in a folder tests, and the policy tests_exist is off"
}

counted() {
  sed -n "s/.*<testsuite [^>]* $1=\"\([0-9]*\)\".*/\1/p" "$2" | head -1
}

security() {
  local failed=0
  if python -m bandit --version > /dev/null 2>&1; then
    python -m bandit --quiet --recursive --severity-level medium "${MESH_CODE:-domains}" || failed=1
  else
    not_run bandit "it is not installed" || failed=1
  fi
  audit || failed=1
  return "$failed"
}

audit() {
  local said status=0
  if ! python -m pip_audit --version > /dev/null 2>&1; then
    not_run pip-audit "it is not installed"
    return
  fi
  said=$(python -m pip_audit --progress-spinner off --skip-editable ${MESH_REQUIREMENTS:+--requirement "$MESH_REQUIREMENTS"} 2>&1) || status=$?
  printf '%s\n' "$said" >&2
  # Without a network pip-audit may skip what it cannot look up, and end well.
  if printf '%s' "$said" | grep -qiE 'could not be audited|ConnectionError|ServiceError|Max retries|timed out'; then
    not_run pip-audit "not every package could be looked up"
    return
  fi
  return "$status"
}

deploy() {
  local environment=${1:?"deploy needs an environment: dev, staging or production"}
  : "${MESH_DEPLOY:?set MESH_DEPLOY to the command that puts this commit onto $environment and restarts its code servers}"
  say "deploy to $environment"
  MESH_ENVIRONMENT="$environment" bash -c "$MESH_DEPLOY"
  # Production builds by its own automation, when inputs or crons say so.
  [ "$environment" = production ] || mesh run
}

verify() {
  local environment=${1:?"verify needs an environment"}
  say "verify $environment"
  mesh check
  mesh status
  mesh monitor
}

all() {
  check
  docs
  plan "${1:?"all needs the git ref to compare with"}"
  tests
  security
}

stage=${1:-}
case "$stage" in
  check | docs | plan | impact | tests | security | deploy | verify | all)
    shift
    "$stage" "$@"
    ;;
  *)
    sed -n '2,16s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
