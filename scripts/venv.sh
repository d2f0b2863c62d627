# Sourced by the other scripts: makes .venv, installs llamaspec with extras "$1" into it, and activates it.
# Set LLAMASPEC_VENV to use another folder, PYTHON to use another interpreter.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
venv=${LLAMASPEC_VENV:-.venv}

find_python() {
    for python in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2])' 2>/dev/null && echo "$python" && return
    done
    echo "error: Python 3.11 or newer was not found" >&2
    echo "hint: install it, or say PYTHON=/path/to/python3 $0" >&2
    return 1
}

if [ ! -x "$venv/bin/python" ]; then
    python=$(find_python) || exit 1
    echo "making $venv with $($python --version)" >&2
    "$python" -m venv "$venv" || exit 1
fi
pip() { "$venv/bin/python" -m pip --quiet --disable-pip-version-check "$@" 2> >(grep -v '^WARNING: Location' >&2); }
# Without an NVIDIA driver the CPU build is enough; a looser pin would fetch gigabytes of CUDA libraries.
if ! command -v nvidia-smi >/dev/null && ! "$venv/bin/python" -c 'import torch' 2>/dev/null; then
    pip install 'torch==2.13.0' || exit 1
fi
# The sources are used in place: only another pyproject.toml or other C++ files, which take minutes, are worth an install.
stamp="$venv/installed${1:+-$1}"
current() {
    [ -e "$1" ] && [ -z "$(find pyproject.toml llamaspec/kernels/native -newer "$1" \( -name '*.toml' -o -name '*.cpp' -o -name '*.h' \))" ]
}
if ! current "$stamp"; then
    pip install -e ".${1:+[$1]}" || exit 1
    touch "$stamp"
fi
export PATH="$PWD/$venv/bin:$PATH"
