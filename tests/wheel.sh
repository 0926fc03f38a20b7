#!/usr/bin/env bash
# The wheel alone, in an empty environment and an empty folder outside the repository: first the dataset half,
# then the benchmark. Versions are those of the lock. Takes some minutes and 4 GB, which are freed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$PWD/.venv/bin/python
tests=$PWD/tests
unset PYTHONPATH
export TF_CPP_MIN_LOG_LEVEL=3

work=$(mktemp -d)
app=""
finish() {
  [ -z "$app" ] || kill "$app" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

echo "== wheel and sdist"
"$python" -m hatchling build -d "$work/dist"
"$python" "$tests/wheel_contents.py" "$work"/dist/*.whl "$work"/dist/*.tar.gz
wheel=$(echo "$work"/dist/*.whl)
# Constraints take neither hashes nor extras.
sed -e '/--hash=/d' -e 's/ *\\$//' -e 's/\[[^]]*\]//' requirements.lock >"$work/constraints.txt"

echo "== the dataset half, without TensorFlow"
"$python" -m venv "$work/env"
bin=$work/env/bin
"$bin/python" -m pip install --quiet --constraint "$work/constraints.txt" "$wheel"
mkdir "$work/empty"
cd "$work/empty"
if "$bin/python" -c "import tensorflow" 2>/dev/null; then
  echo "TensorFlow is installed: a core dependency brings it" >&2
  exit 1
fi
"$bin/btfer" --help >/dev/null
"$bin/btfer" queries # the bundled plan: none lies here
"$bin/btfer" init work
test -s work/btfer.toml
test -s work/queries/expressions.toml

# Each command's answer where something is missing: its own exit code and lines, never a traceback.
answer() { # the exit code that is right, a word that must be in the answer, the command
  local want=$1 word=$2 code=0
  shift 2
  "$@" >answer.txt 2>&1 || code=$?
  cat answer.txt
  if [[ " $want " != *" $code "* ]] || ! grep -q "$word" answer.txt || grep -q Traceback answer.txt; then
    echo "$*: exit code $code, expected $want and '$word'" >&2
    exit 1
  fi
  rm answer.txt
}
answer "0 1" bing "$bin/btfer" crawl doctor # 1 where there is no network
answer 1 "btfer\[bench\]" "$bin/btfer" bench
answer 1 "btfer\[bench\]" "$bin/btfer" demo

echo "== the review app"
port=$("$bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$bin/btfer" app --port "$port" >app.log 2>&1 &
app=$!
"$bin/python" "$tests/app_answers.py" "$port" || { cat app.log >&2; exit 1; }
kill "$app"
wait "$app" 2>/dev/null || true
app=""

echo "== the benchmark"
"$bin/python" -m pip install --quiet --constraint "$work/constraints.txt" "$wheel[bench]"
"$bin/btfer" demo
test -s demo/index.html
echo "== the wheel works in an empty folder"
