#!/bin/sh
# install-deps.sh [build|fuzz|coverage] - makes sure that what the tests need is there, or only what
# the build or the fuzz targets need; for coverage what the tests need and gcovr.
#
# Probes first, without network; installs with apt-get only what is missing, and only as root.
set -eu

missing=
# need PACKAGE PROBE...: the Debian package that brings what the probe looks for.
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
header() { [ -f "/usr/include/$1" ] || [ -f "/usr/local/include/$1" ]; }
# A library is there if pkg-config knows it, or its header stands where compilers look anyway.
library() { pkg-config --exists "$1" || header "$2"; }
numpy() { [ -d /usr/lib/python3/dist-packages/numpy ] || python3 -c 'import numpy'; }

need gcc command -v gcc
need libc6-dev header stdio.h
need libcjson-dev library libcjson cjson/cJSON.h
fuzzer_runtime() {
    find "$(clang -print-resource-dir)/lib" -name 'libclang_rt.fuzzer*' | grep -q fuzzer
}
if [ "${1-}" = fuzz ]; then
    need clang command -v clang
    # The package goes with the version of clang.
    need "libclang-rt-$(clang -dumpversion 2>/dev/null | sed 's/\..*//;s/^$/14/')-dev" fuzzer_runtime
elif [ "${1-}" != build ]; then
    need pkg-config command -v pkg-config
    need check library check check.h
    need clang command -v clang
    need python3 command -v python3
    need python3-numpy numpy
    need valgrind command -v valgrind
fi
[ "${1-}" != coverage ] || need gcovr command -v gcovr
# The viewer's libraries, once there is a viewer.
if grep -q 'SDL2/' viz/*.[ch] 2>/dev/null; then
    need libsdl2-dev library sdl2 SDL2/SDL.h
    need libsdl2-ttf-dev library SDL2_ttf SDL2/SDL_ttf.h
fi

[ -n "$missing" ] || exit 0
install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "tsp: error: missing:$missing; install them as root, on Debian with: $install" >&2
    exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
$install
