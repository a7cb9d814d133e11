#!/bin/sh
# Compiles requirements/*.txt from pyproject.toml, and the tools' locks from their .in files: pinned, hashed, for every platform, and without any URL.
# Pins stay as they are unless pyproject.toml asks for more; `sh scripts/lock.sh --upgrade` renews them.
set -eu
cd "$(dirname "$0")/.."
compile() {
    .tools/bin/uv pip compile -q --universal --python-version "${python:-3.12}" --generate-hashes --no-emit-index-url \
        --no-emit-find-links --custom-compile-command 'make lock' "$@"
}
compile --group tools "$@" -o requirements/tools.txt
compile --group build "$@" -o requirements/build.txt
compile pyproject.toml "$@" -o requirements/base.txt
compile pyproject.toml --group dev -c requirements/base.txt "$@" -o requirements/dev.txt
locks=src/soundforge/tools/locks
compile $locks/downloader.in --override $locks/downloader.override "$@" -o $locks/downloader.txt
python=3.11 compile $locks/demucs.in --override $locks/demucs.override "$@" -o $locks/demucs.txt
if grep -n '://' requirements/*.txt $locks/*.txt; then
    echo 'make lock: a lock names a host; see above.' >&2
    exit 1
fi
