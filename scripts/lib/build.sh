# Building for scripts/run and scripts/test: quiet unless it fails. Sourced, with the repository as working directory.
# shellcheck shell=bash

# run_quietly LOG COMMAND...: what the command says goes to the file, and to stderr if it fails.
run_quietly() {
    local log=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        echo "failed: $*" >&2
        return 1
    fi
}

# build KIND DIRECTORY [TARGET...]: KIND is a CMAKE_BUILD_TYPE.
build() {
    local kind=$1 directory=$2 launcher=()
    shift 2
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    echo "Building $kind in $directory (what the compiler says is in $directory/build.log)"
    mkdir -p "$directory" &&
        run_quietly "$directory/configure.log" \
            cmake -S . -B "$directory" -G Ninja "-DCMAKE_BUILD_TYPE=$kind" "${launcher[@]}" &&
        run_quietly "$directory/build.log" cmake --build "$directory" --target "${@:-all}"
}
