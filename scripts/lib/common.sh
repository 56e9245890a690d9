# Sourced by the scripts: where things are, and how progress and mistakes are told.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PY="$ROOT/.venv/bin/python"
LOG="$ROOT/var/log/setup.log"
export PIP_DISABLE_PIP_VERSION_CHECK=1 RASA_TELEMETRY_ENABLED=false

fail() { echo "error: $*" >&2; exit 2; }

# step NAME COMMAND...: runs it with its output in the log; shows that it is alive; tells the end of the log if it fails.
step() {
  local name=$1 start=$SECONDS; shift
  [ -n "${STEPS:-}" ] || echo "setting up what is missing (details: var/log/setup.log)"
  STEPS=1
  printf '  %-58s ' "$name"
  { echo; echo "== $name"; } >>"$LOG"
  "$@" >>"$LOG" 2>&1 &
  local pid=$! beat=0
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    beat=$((beat + 1))
    [ $((beat % 25)) -eq 0 ] && printf '.'
  done
  if wait "$pid"; then
    printf ' done (%d s)\n' $((SECONDS - start))
  else
    printf ' FAILED\n\n' && tail -n 15 "$LOG" >&2
    fail "set-up stopped at \"$name\"; the whole log is in var/log/setup.log; run the same command again to continue"
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo -n "$@" 2>/dev/null || sudo "$@"
  else fail "these Debian packages are missing and need root: ${*: -1}; run this as root or install sudo"; fi
}
