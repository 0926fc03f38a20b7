#!/usr/bin/env bash
# Before a release of the software: wheel and sdist in dist/ with their metadata checked, the wheel alone in an empty
# folder, the licences of all that it needs, known vulnerabilities of these, and its bill of materials (CycloneDX). The
# documentation was built before.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin

rm -rf dist
"$bin/python" -m hatchling build -d dist
"$bin/python" -m twine check --strict dist/*
bash tests/wheel.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What a user gets, without the developers' tools.
"$bin/python" -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet --require-hashes -r requirements.lock
"$work/env/bin/python" -m pip install --quiet --no-deps dist/*.whl
"$bin/python" -m piplicenses --python "$work/env/bin/python" --format json --with-urls --with-license-file \
  --order license --output-file "$work/licences.json"
"$bin/python" tests/licence_duties.py "$work/licences.json" dist/licences.md
# Not in the lock: its data are on the network, and it is asked only where somebody has installed it.
# A mirror of PyPI may lack what is known of each version: then nothing would be found, whatever there is.
version=$(sed -n 's/^urllib3==\([^ ;]*\).*/\1/p' requirements.lock)
known=$(curl --silent --fail --max-time 20 "https://pypi.org/pypi/urllib3/$version/json" || true)
audit=$(command -v pip-audit || command -v "$bin/pip-audit" || true)
if [ -z "$audit" ]; then
  echo "known vulnerabilities were not looked for: pip-audit is not installed (pipx install pip-audit)"
elif [[ "$known" != *'"vulnerabilities"'* ]]; then
  echo "known vulnerabilities were not looked for: pypi.org, where they are listed, cannot be reached"
else
  "$audit" --path "$("$work/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
fi
"$bin/cyclonedx-py" environment --output-reproducible --of JSON -o dist/btfer.cdx.json "$work/env/bin/python"
ls -l dist
