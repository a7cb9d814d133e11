#!/bin/sh
# Makes .venv: what the studio needs ("base"), or that and the developers' tools ("dev").
#
#   sh scripts/setup.sh base|dev [--quiet]
#
# Finds a Python 3.12 or 3.13, brings uv into .tools/ at the version and hash that requirements/tools.txt
# pins, and installs exactly what requirements/*.txt lists, by hash. Says in one sentence what is missing.
# PYTHON=/path/to/python3.12 chooses the interpreter. A second call costs nothing.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV UV_PYTHON CDPATH
wanted=${1:-dev}

say() { printf '%s\n' "$*" >&2; }
stop() { say "make setup: $*"; exit 1; }

# What an environment of this sort was made from; the checkout's path too, for scripts in .venv name it.
made_from() { { printf '%s %s\n' "$1" "$PWD"; cat scripts/setup.sh requirements/*.txt; } | cksum; }

is_ready() {
    [ "$(cat ".venv/.$1" 2>/dev/null)" = "$(made_from "$1")" ] && .venv/bin/python -c '' 2>/dev/null
}

if is_ready dev || { [ "$wanted" = base ] && is_ready base; }; then
    exit 0
fi
if [ -e .venv/.dev ]; then
    wanted=dev # never take the tools out of an environment that somebody develops in
fi

# --- an interpreter for .venv --------------------------------------------------------------------

# Prints the real path of a fitting interpreter (a shim's own path would mean nothing to uv).
fits() {
    "$1" -I -c 'import sys; sys.exit(print(sys.executable)) if (3, 12) <= sys.version_info[:2] < (3, 14) else sys.exit(1)' 2>/dev/null
}

has_headers() {
    "$1" -I -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'
}

candidates() {
    for name in python3 python3.13 python3.12; do printf '%s\n' "$name"; done
    for folder in "${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}/versions" \
        "${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-${HOME:-/nonexistent}/.local/share}/uv/python}"; do
        for path in "$folder"/*3.1[23]*/bin/python3; do printf '%s\n' "$path"; done
    done
    for folder in /usr/bin /usr/local/bin /opt/homebrew/bin; do
        for name in python3.13 python3.12 python3; do printf '%s\n' "$folder/$name"; done
    done
}

# The first that can also build (Python.h); else the first that fits at all. Nothing when there is none.
find_python() {
    first=
    while IFS= read -r candidate; do
        path=$(fits "$candidate") || continue
        if has_headers "$path"; then
            printf '%s\n' "$path"
            return
        fi
        first=${first:-$path}
    done <<LIST
$(candidates)
LIST
    printf '%s\n' "$first"
}

if [ -n "${PYTHON:-}" ]; then
    python=$(fits "$PYTHON") || stop "PYTHON=$PYTHON is not a Python 3.12 or 3.13 that runs."
else
    python=$(find_python)
fi

# --- uv, in an environment of its own, on any Python 3 -------------------------------------------

bring_uv() {
    if [ "$(cat .tools/.ok 2>/dev/null)" = "$(cksum <requirements/tools.txt)" ] && .tools/bin/uv --version >/dev/null 2>&1; then
        return
    fi
    any=
    for candidate in "$python" python3 /usr/bin/python3 /usr/local/bin/python3 /opt/homebrew/bin/python3; do
        if [ -n "$candidate" ] && "$candidate" -I -c '' 2>/dev/null; then
            any=$candidate
            "$candidate" -I -c 'import ensurepip, venv' 2>/dev/null &&
                "$candidate" -I -m venv --clear .tools >/dev/null 2>&1 && break
        fi
        candidate=
    done
    [ -n "$any" ] || stop "there is no Python here: install Python 3.12 or 3.13, or name one: make setup PYTHON=/path/to/python3.12"
    [ -n "$candidate" ] || stop "$any cannot make virtual environments: install its venv module (Debian and Ubuntu: apt install python3-venv)."
    .tools/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/tools.txt ||
        stop "pip could not fetch uv; its message stands above (is there a network, or a mirror in pip's configuration?)."
    cksum <requirements/tools.txt >.tools/.ok
}

# --- a C++ compiler, for the one dependency that has no wheel -------------------------------------

first_found() {
    for program in "$@"; do
        if command -v "$program" >/dev/null 2>&1; then
            printf '%s\n' "$program"
            return
        fi
    done
}

check_compiler() {
    setting() { .venv/bin/python -c "import sysconfig; print((sysconfig.get_config_var('$1') or '').split(' ')[0])"; }
    CC=${CC:-$(first_found "$(setting CC)" cc gcc clang)}
    CXX=${CXX:-$(first_found "$(setting CXX)" c++ g++ clang++)}
    command -v "${CXX%% *}" >/dev/null 2>&1 && command -v "${CC%% *}" >/dev/null 2>&1 ||
        stop "a C++ compiler is needed to build one dependency (erlpack): install one (Debian and Ubuntu: apt install g++; macOS: xcode-select --install)."
    has_headers .venv/bin/python ||
        stop "Python's headers are needed to build one dependency (erlpack): install them (Debian and Ubuntu: apt install python3-dev; Fedora: dnf install python3-devel)."
    export CC CXX
}

# --- the environment -----------------------------------------------------------------------------

[ -n "${HOME:-}" ] && [ -w "$HOME" ] || export UV_CACHE_DIR="${UV_CACHE_DIR:-$PWD/.tools/cache}"
[ -t 2 ] && quiet= || quiet=-q

bring_uv
rm -f .venv/.base .venv/.dev
make_environment() {
    if [ -n "$python" ]; then
        .tools/bin/uv venv -q --clear --no-python-downloads --python "$python" .venv ||
            stop "uv could not make .venv with $python; its message stands above."
    else
        say "No Python 3.12 or 3.13 found here; asking uv to fetch one."
        .tools/bin/uv venv -q --clear --managed-python --python 'cpython>=3.12,<3.14' .venv 2>/dev/null ||
            stop "Sound Forge Alchemy needs Python 3.12 or 3.13: install one, or name one: make setup PYTHON=/path/to/python3.12"
    fi
    printf '%s\n' "$PWD" >.venv/.home
}
if [ -n "${PYTHON:-}" ] || [ "$(cat .venv/.home 2>/dev/null)" != "$PWD" ] || ! fits .venv/bin/python >/dev/null; then
    make_environment
fi
check_compiler
say "Installing into .venv ($(.venv/bin/python -V), $wanted); the first time takes a minute or two."
.tools/bin/uv pip sync $quiet --python .venv/bin/python --require-hashes \
    --build-constraints requirements/build.txt "requirements/$wanted.txt" ||
    stop "uv could not install requirements/$wanted.txt; its message stands above."

# The project itself: nothing to build, nothing to fetch. The path is relative, so spaces do no harm.
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
.venv/bin/python -c 'import os, sys; print(os.path.relpath("src", sys.argv[1]))' "$site" >"$site/soundforge.pth"
cat >.venv/bin/soundforge <<'LAUNCHER'
#!/bin/sh
exec "$(dirname "$0")/python" -m soundforge "$@"
LAUNCHER
chmod +x .venv/bin/soundforge
made_from "$wanted" >".venv/.$wanted"
