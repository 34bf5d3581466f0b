# What the tests of the Makefile share.

ROOT=$TESTS_DIR/..

# make for the programs under test. B as make wants it: below the root folder of the sources. With the compiler and the flags that they
# were built with, whoever started the tests: else make would build all of them again.
repo_make()
{
    local built compiler variables=(B="$(realpath --relative-to="$ROOT" "$OCIRUN_BUILD")")
    if built=$(cat "$OCIRUN_BUILD/obj/flags" 2>/dev/null); then
        built=${built%% -std=*}
        compiler=${built%% -*}
        variables+=(CXX="$compiler" CXXFLAGS="${built#"$compiler"}")
    fi
    [[ $OCIRUN_BUILD != */sanitize ]] || variables+=(SANITIZE=1)
    make -s --no-print-directory -C "$ROOT" "${variables[@]}" "$@"
}
