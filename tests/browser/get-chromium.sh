#!/bin/sh
# Makes sure a Chromium is there for the browser tests: Debian's, through apt, where that is possible.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
[ -n "$CHROMIUM" ] && [ -x "$CHROMIUM" ] && exit 0
if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo -n"
    echo "Installing Chromium through apt ..."
    $sudo apt-get update -qq && $sudo apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "The browser tests need Chromium. Install it (Debian: apt-get install chromium) or set CHROMIUM to its path."
exit 1
