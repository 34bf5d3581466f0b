#!/usr/bin/env bats
# Completion in bash offers what --help prints.
load ../helpers

# offers 'WORD...' WORD...: what is offered for the last of the words.
offers()
{
    local wanted=$1
    shift
    (
        compopt() { :; }  # works only where the shell completes
        # shellcheck source=/dev/null
        source "$TESTS_DIR/../packaging/ocirun.bash-completion"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        "$(complete -p "$1" | sed 's/.*-F \([^ ]*\) .*/\1/')"
        [[ ${COMPREPLY[*]} == "$wanted" ]] || { echo "$*: offers '${COMPREPLY[*]}'" >&2; exit 1; }
    )
}

@test "verbs of a stage and their options are offered" {
    offers "get" oci-spec g
    offers "set" oci-spec se
    offers "--cap-drop --cap-add" oci-spec new --cap
    offers "--strict" oci-spec check --s
    offers "compile" oci-seccomp co
    offers "--plan-fd" oci-ns new --pid --pl
    offers "" oci-ns new -- --p
}

@test "commands of ocirun and their options are offered" {
    offers "features" ocirun fe
    offers "--rootless" ocirun spec --root
    offers "TERM" ocirun kill box TER
    offers "SIGTERM" ocirun kill box SIGTER
}

@test "every program has its completion" {
    for program in ocirun "$TESTS_DIR"/../stages/oci-*; do
        grep -Eq "^complete .* ${program##*/}( |$)" "$TESTS_DIR/../packaging/ocirun.bash-completion"
    done
}
