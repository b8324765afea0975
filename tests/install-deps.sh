#!/bin/sh
# install-deps.sh [build|fuzz|coverage] - makes sure that what the tests need is there, or only what
# the build or the fuzz targets need; for coverage what the tests need and gcovr.
#
# A build does without the viewer if its libraries can't be installed.
#
# Probes first, without network; installs with apt-get only what is missing, and only as root.
set -eu

missing= viewer=
# need PACKAGE PROBE...: the Debian package that brings what the probe looks for.
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
# The same for what only the viewer needs.
need_to_view() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || viewer="$viewer $package"
}
header() { [ -f "/usr/include/$1" ] || [ -f "/usr/local/include/$1" ]; }
# A library is there if pkg-config knows it, or its header stands where compilers look anyway.
library() { pkg-config --exists "$1" || header "$2"; }
font() { find "${TSP_FONT_DIR:-/usr/share/fonts}" /usr/share/fonts -name "$1" | grep -q .; }
numpy() { [ -d /usr/lib/python3/dist-packages/numpy ] || python3 -c 'import numpy'; }

need gcc command -v gcc
need libc6-dev header stdio.h
need libcjson-dev library libcjson cjson/cJSON.h
need_to_view pkg-config command -v pkg-config
need_to_view libsdl2-dev pkg-config --exists sdl2
need_to_view libsdl2-ttf-dev pkg-config --exists SDL2_ttf
need_to_view libpng-dev pkg-config --exists libpng
need_to_view fonts-dejavu-core font DejaVuSansMono.ttf
fuzzer_runtime() {
    find "$(clang -print-resource-dir)/lib" -name 'libclang_rt.fuzzer*' | grep -q fuzzer
}
if [ "${1-}" = fuzz ]; then
    need clang command -v clang
    # The package goes with the version of clang.
    need "libclang-rt-$(clang -dumpversion 2>/dev/null | sed 's/\..*//;s/^$/14/')-dev" fuzzer_runtime
elif [ "${1-}" != build ]; then
    need check library check check.h
    need clang command -v clang
    need python3 command -v python3
    need python3-numpy numpy
    need valgrind command -v valgrind
    need gtkwave command -v vcd2fst
    need xvfb command -v Xvfb
    need xdotool command -v xdotool
fi
[ "${1-}" != coverage ] || need gcovr command -v gcovr

root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }
if [ "${1-}" = build ] && [ -n "$viewer" ] && ! root; then
    echo "tsp: note: the viewer is left out; it needs:$viewer" >&2
elif [ "${1-}" != fuzz ]; then
    missing="$missing$viewer"
fi
[ -n "$missing" ] || exit 0
install="apt-get install -y --no-install-recommends$missing"
if ! root; then
    echo "tsp: error: missing:$missing; install them as root, on Debian with: $install" >&2
    exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
$install
