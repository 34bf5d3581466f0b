#!/usr/bin/env bats
# What spec/ promises is what oci-spec has in its tables.

load ../helpers

SPEC=$BATS_TEST_DIRNAME/../../spec

@test "spec/plan.md has the table of directives as it is" {
    diff <(oci-spec grammar) <(sed -n '/^| directive /,$p' "$SPEC/plan.md")
}

@test "spec/coverage.md has a row for each property, and no other" {
    diff <(oci-spec properties | cut -f 1) <(sed -n 's/^| `\(\/[^`]*\)` .*/\1/p' "$SPEC/coverage.md")
}

@test "spec/coverage.md names the versions, directives and fates of the table" {
    while IFS=$'\t' read -r pattern since fate note; do
        row=$(grep -F "| \`$pattern\` |" "$SPEC/coverage.md")
        [[ $row == "| \`$pattern\` | $since | "* ]]
        case $fate in
            planned) [[ $row == *"| \`${note// /\` \`}\` |"* ]] ;;
            container) [[ $row == *"| what is in it |"* ]] ;;
            ignored) [[ $row == *"| ignored: $note |"* ]] ;;
            refused) [[ $row == *"| ${note:+an error: }${note:-not yet: an error when not empty} |"* ]] ;;
        esac || { echo "$row" >&2; return 1; }
    done < <(oci-spec properties)
}

@test "each test that spec/coverage.md names is there, and each property that is planned has one" {
    for file in $(grep -oE '(tests|stages)/[a-z0-9_/-]+\.(bats|cc)' "$SPEC/coverage.md" | sort -u); do
        [[ -e $SPEC/../$file || ! -d $SPEC/../${file%%/*} ]] || { echo "$file is not there"; return 1; }
    done
    run -1 grep -vE '^\| `[^|]*\|[^|]*\| (what is in it|ignored: .*|an error: .*) \||\| [^|]*(\.bats|_test\.cc) \|$' <(grep '^| `/' "$SPEC/coverage.md")
}
