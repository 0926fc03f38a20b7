#!/bin/sh
# Chromium for the review app's tests, PostgreSQL for the catalogue's, faketime for clocks that jump: Debian's packages, installed
# where that is allowed. Where it is not, say which tests are skipped and go on.
missing=""
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || missing="chromium"
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v faketime >/dev/null 2>&1 || missing="$missing faketime"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then root=""; elif sudo -n true 2>/dev/null; then root="sudo -n"; else root="no"; fi
if [ "$root" != "no" ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing for the tests:$missing"
  $root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "not installed:$missing. Tests that need it are skipped; install it to run them." >&2
exit 0
