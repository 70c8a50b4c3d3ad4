#!/bin/sh
# Makes the virtual environment: venv.sh FOLDER [PYTHON]. Finds a suitable Python, or says what to do.
set -eu

suitable='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

find_python() {
    for candidate in python3.11 python3.12 python3.13 python3 python; do
        if "$candidate" -c "$suitable" >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
}

if [ "$1" = explain ]; then
    die "Installing failed; pip's own words stand above. What it mostly is:" \
        "  no room left: the disk needs about 2 GB free (df -h .)" \
        "  no way out to the package index: set pip's index or proxy, then say make setup again" \
        "  no wheel for this machine: Linux x86-64 and arm64 and macOS are the ones that are known to work"
fi

folder=$1
python=${2:-$(find_python)}

[ -n "$python" ] || die "Nightshift needs Python 3.11, 3.12 or 3.13, and none was found (there is $(python3 --version 2>/dev/null || echo no python3))." \
    "Install one (Debian 12: apt install python3 python3-venv; or uv, pyenv), or name it: make setup PYTHON=/path/to/python3.12"
"$python" -c "$suitable" 2>/dev/null || die "$python is $("$python" --version 2>&1); Nightshift needs Python 3.11, 3.12 or 3.13." \
    "Name another: make setup PYTHON=/path/to/python3.12"

rm -rf "$folder"
if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    "$python" -m venv "$folder"
elif "$python" -c 'import venv, pip' 2>/dev/null; then
    # Debian keeps ensurepip in python3-venv; a pip that is there can fill the folder from outside.
    "$python" -m venv --without-pip "$folder"
    "$python" -m pip --quiet --python "$folder/bin/python" install pip
else
    die "$python has no venv module. On Debian and Ubuntu: apt install python3-venv (as root)," \
        "or name a Python that has it: make setup PYTHON=/path/to/python3.12"
fi
