#!/usr/bin/env bats
# make install, make uninstall, and what is installed.
load ../helpers
load make

setup()
{
    ocirun_setup
    requires make readelf
    [[ -e $ROOT/Makefile ]] || skip "needs the sources"
}

stages() { (cd "$ROOT/stages" && printf '%s\n' oci-*); }

@test "make install puts ocirun, the stages and their man pages below DESTDIR and PREFIX" {
    repo_make install DESTDIR="$BATS_TEST_TMPDIR/dest" PREFIX=/opt/x

    cd "$BATS_TEST_TMPDIR/dest"
    expected=(./opt/x/bin/ocirun ./opt/x/share/bash-completion/completions/ocirun)
    for stage in $(stages); do
        expected+=("./opt/x/libexec/ocirun/$stage")
    done
    if command -v pandoc >/dev/null; then
        for program in ocirun $(stages); do
            expected+=("./opt/x/share/man/man8/$program.8")
        done
    fi
    diff <(printf '%s\n' "${expected[@]}" | LC_ALL=C sort) <(find . -type f | LC_ALL=C sort)
    [[ $(stat -c %a opt/x/bin/ocirun opt/x/libexec/ocirun/* | sort -u) == 755 ]]
}

@test "an installed ocirun finds its stages in libexec" {
    requires root
    repo_make install DESTDIR="$BATS_TEST_TMPDIR/dest" PREFIX=/usr
    make_bundle
    args echo hello

    run -0 "$BATS_TEST_TMPDIR/dest/usr/bin/ocirun" --root "$STATE_ROOT" run "$TEST_ID"

    [[ $output == hello ]]
}

@test "make uninstall removes all that make install made" {
    repo_make install DESTDIR="$BATS_TEST_TMPDIR/dest" PREFIX=/usr

    repo_make uninstall DESTDIR="$BATS_TEST_TMPDIR/dest" PREFIX=/usr

    run -0 find "$BATS_TEST_TMPDIR/dest" -not -type d
    [[ $output == "" ]]
}

@test "a second make has nothing to do" {
    repo_make all

    run -0 repo_make -n all

    [[ $output == "" || $output == *"Nothing to be done"* ]]
}

@test "the sources are older than what was built from them after make, and a touched one is built again" {
    mkdir "$BATS_TEST_TMPDIR/out"
    cp -a "$ROOT"/{Makefile,lib} "$BATS_TEST_TMPDIR/out/"
    cd "$BATS_TEST_TMPDIR/out"
    make -s B=b CXXFLAGS=-O0 b/obj/lib/result/result.o

    # File times count in ticks of the kernel.
    sleep 0.1
    touch lib/result/result.h
    run -0 make -n B=b CXXFLAGS=-O0 b/obj/lib/result/result.o
    [[ $output == *"-o b/obj/lib/result/result.o"* ]]
}

@test "other compiler flags build every object again" {
    mkdir "$BATS_TEST_TMPDIR/out"
    cp -a "$ROOT"/{Makefile,lib} "$BATS_TEST_TMPDIR/out/"
    cd "$BATS_TEST_TMPDIR/out"
    make -s B=b CXXFLAGS=-O0 b/obj/lib/result/result.o

    run -0 make -s -n B=b CXXFLAGS=-O0 b/obj/lib/result/result.o
    [[ $output == "" ]]
    run -0 make -n B=b CXXFLAGS=-O1 b/obj/lib/result/result.o
    [[ $output == *"-O1"*"-o b/obj/lib/result/result.o"* ]]
}

@test "no program of a container's start needs a shared library or an interpreter" {
    requires plain_build
    for program in ocirun $(stages); do
        # Not on the way of a container without systemd; libsystemd is a shared library only.
        [[ $program != oci-cgroup-systemd ]] || continue
        # Without simdjson's source this one is linked with the distribution's library.
        [[ $program != oci-spec || -e $ROOT/build/deps/simdjson/simdjson.cpp ]] || continue

        run -0 readelf --dynamic --program-headers --wide "$OCIRUN_BUILD/$program"

        [[ $output != *NEEDED* ]] || { echo "$program: $output"; false; }
        [[ $output != *INTERP* ]] || { echo "$program: $output"; false; }
        [[ $output == *"Elf file type is DYN"* ]] || { echo "$program is not position-independent"; false; }
    done
}

@test "no program has an executable stack, a writable and executable segment, or lazy relocations" {
    for program in ocirun $(stages); do
        run -0 readelf --dynamic --program-headers --wide "$OCIRUN_BUILD/$program"

        [[ $output != *RWE* ]] || { echo "$program: $output"; false; }
        [[ $output == *GNU_RELRO* ]] || { echo "$program: $output"; false; }
        [[ $output == *NOW* ]] || { echo "$program: $output"; false; }
    done
}

# What a start costs is mostly the pages it touches. C++'s locales add 600 KB and ten page faults to each program; a single call
# brings them in (docs/performance.md).
@test "the programs of a container's start are below 1.4 MB, without C++'s locales and demangler" {
    requires plain_build
    for program in ocirun oci-spec oci-ns oci-cgroup oci-seccomp oci-init; do
        [[ $program != oci-spec || -e $ROOT/build/deps/simdjson/simdjson.cpp ]] || continue

        (($(stat -c %s "$OCIRUN_BUILD/$program") < 1400000)) || { echo "$program has $(stat -c %s "$OCIRUN_BUILD/$program") bytes"; false; }
        run -1 grep -a -o -E 'NSt6locale5facetE|terminate called after throwing' "$OCIRUN_BUILD/$program"
    done
}
