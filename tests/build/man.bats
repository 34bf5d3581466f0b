#!/usr/bin/env bats
# Every program explains itself, and its man page says the same as its --help.
load ../helpers
load make

setup()
{
    ocirun_setup
    [[ -d $ROOT/stages ]] || skip "needs the sources"
}

programs() { (cd "$ROOT/stages" && printf '%s\n' ocirun oci-*); }

man_source()
{
    if [[ $1 == ocirun ]]; then echo "$ROOT/bin/ocirun/ocirun.8.md"; else echo "$ROOT/stages/$1/$1.8.md"; fi
}

commands_of() { "$OCIRUN_BUILD/$1" --help | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'; }

# Long options that the help of the program and of all its commands names.
options_of()
{
    local command
    {
        "$OCIRUN_BUILD/$1" --help
        for command in $(commands_of "$1"); do
            "$OCIRUN_BUILD/$1" "$command" --help
        done
    } | sed -nE 's/^  (-[a-zA-Z], )?(--[a-z0-9-]+).*/\2/p' | LC_ALL=C sort -u
}

@test "every program prints its version: its name, the word, a number" {
    for program in $(programs); do
        run -0 --separate-stderr "$OCIRUN_BUILD/$program" --version

        [[ ${lines[0]} =~ ^$program\ version\ [0-9]+\.[0-9]+\.[0-9]+ ]] || { echo "$program: $output"; false; }
        [[ $stderr == "" ]]
    done
}

@test "every program and every command prints its help on stdout with --help, -h and help" {
    for program in $(programs); do
        run -0 --separate-stderr "$OCIRUN_BUILD/$program" --help
        [[ $output == "$program - "* && $output == *"usage: $program"* && $stderr == "" ]]
        [[ $("$OCIRUN_BUILD/$program" -h) == "$output" && $("$OCIRUN_BUILD/$program" help) == "$output" ]]

        [[ $(commands_of "$program") != "" ]]
        for command in $(commands_of "$program"); do
            run -0 --separate-stderr "$OCIRUN_BUILD/$program" "$command" --help
            [[ $output == "$program $command - "* && $stderr == "" ]] || { echo "$program $command: $output $stderr"; false; }
        done
    done
}

@test "without a command a program says so on stderr and does not exit 0" {
    for program in $(programs); do
        run --separate-stderr "$OCIRUN_BUILD/$program"

        ((status != 0))
        [[ $output == "" && $stderr == *"no command given"* ]] || { echo "$program: $output $stderr"; false; }
    done
}

@test "an unknown option is refused by name, by every stage with status 2" {
    for program in $(programs); do
        run --separate-stderr "$OCIRUN_BUILD/$program" --no-such-option

        [[ $program == ocirun || $status == 2 ]]
        ((status != 0))
        [[ $output == "" && $stderr == *"--no-such-option"* ]] || { echo "$program: $output $stderr"; false; }
    done
}

@test "every program has a man page with all its sections in order" {
    for program in $(programs); do
        page=$(man_source "$program")
        [[ -e $page ]] || { echo "no $page"; false; }
        grep -q "^% ${program^^} *\"\?8\"\?\|^% $program *\"\?8\"\?\|^% $program(8)" "$page" || { echo "$page: no title"; head -n 3 "$page"; false; }

        found=$(sed -n 's/^# //p' "$page" | grep -xE 'NAME|SYNOPSIS|DESCRIPTION|EXIT STATUS|EXAMPLES|SEE ALSO' | paste -sd,)
        [[ $found == "NAME,SYNOPSIS,DESCRIPTION,EXIT STATUS,EXAMPLES,SEE ALSO" ]] || { echo "$page: $found"; false; }
    done
}

@test "every command and option of --help is in the man page" {
    for program in $(programs); do
        page=$(tr -d '\\' <"$(man_source "$program")")
        for word in $(commands_of "$program") $(options_of "$program"); do
            [[ $page == *"$word"* ]] || { echo "$program: '$word' is not in its man page"; false; }
        done
    done
}

@test "every option that a man page sets in bold is an option of the program" {
    for program in $(programs); do
        known=" $(options_of "$program" | paste -sd' ') --help --version "
        missing=
        # Hidden options between the programs have a page of their own, spec/protocol.md.
        for option in $(tr -d '\\' <"$(man_source "$program")" | grep -oE '^\*\*(-[a-zA-Z]\*\*, \*\*)?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+' | sort -u); do
            case $option in --error-fd | --step-fd | --test-step) continue ;; esac
            [[ $known == *" $option "* ]] || missing+=" $option"
        done
        [[ $missing == "" ]] || { echo "$program: its man page has$missing"; false; }
    done
}

@test "the man pages are made without a warning" {
    requires pandoc
    for program in $(programs); do
        run -0 --separate-stderr pandoc --standalone --from markdown --to man "$(man_source "$program")"

        [[ $stderr == "" ]] || { echo "$program: $stderr"; false; }
        [[ $output == *".SH NAME"* ]]
    done
}

@test "behind a command, --version prints the version as before it" {
    for program in $(programs); do
        command=$(commands_of "$program" | head -n 1)

        [[ $("$OCIRUN_BUILD/$program" "$command" --version) == $("$OCIRUN_BUILD/$program" --version) ]] || { echo "$program $command"; false; }
    done
}

@test "in the man pages an option keeps its two dashes, and whatis finds the names" {
    requires make pandoc
    repo_make docs
    for program in $(programs); do
        page=$OCIRUN_BUILD/man/$program.8

        run -1 grep -n '\\\[e[nm]\]' "$page"
        grep -q "^\.TH \"$program\" \"8\"" "$page"
        grep -q "^$program - " "$page"
    done
}
