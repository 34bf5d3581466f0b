# ocirun: build, test, install. `make` builds everything into build/.
#   make deps all tests fuzzers check check-vm demo bench install uninstall lint format docs clean
# Variables: CXX CXXFLAGS LDFLAGS PREFIX DESTDIR SANITIZE=1 TESTS=FILE... SIMDJSON_SRC=DIR VM=PROGRAM VM_CGROUP=v2|v1|hybrid BENCH=PROGRAM B=FOLDER

PREFIX ?= /usr/local
CXXFLAGS ?= -Os -g1
B := build$(if $(SANITIZE),/sanitize)
VM ?= ../shared/vm/vm
# What a kernel with cgroup v2 and systemd shows differently. `make check-vm TESTS=tests` runs all.
VM_TESTS ?= $(addprefix tests/ocirun/,lifecycle.bats run.bats exec.bats exec_cgroup.bats update.bats kill.bats hooks.bats crash.bats systemd.bats apparmor.bats) \
	tests/oci-cgroup tests/oci-cgroup-systemd tests/oci-criu tests/recipes tests/engines/podman_systemd.bats
# What cgroup v1 without any v2 shows, by both managers: `make check-vm VM_CGROUP=v1` (or hybrid).
VM_TESTS_V1 ?= $(addprefix tests/ocirun/,systemd.bats cgroups.bats pause.bats) tests/oci-cgroup-systemd
BENCH ?= ../shared/bench/bench

STAGES := $(notdir $(wildcard stages/oci-*))
PROGRAMS := ocirun $(STAGES)
VERSION := 0.1.0
COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

# simdjson: its source if it is at hand (small static binary), else the distribution's shared library.
# docs/decisions/0003-simdjson.md says what the difference costs.
SIMDJSON_SRC ?= $(patsubst %/simdjson.cpp,%,$(firstword $(wildcard build/deps/simdjson/simdjson.cpp)))

override CXXFLAGS += -std=c++20 -Wall -Wextra -Werror -MMD -MP -Ilib -fPIE -ffunction-sections -fdata-sections \
	-DOCIRUN_VERSION='"$(VERSION)"' -D_FILE_OFFSET_BITS=64
override LDFLAGS += -Wl,--gc-sections -Wl,-z,relro,-z,now,-z,noexecstack
ifdef SANITIZE
override CXXFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=address,undefined -pie
STATIC :=
SANITIZE_OPTIONS := $(B)/obj/tests/sanitize_options.o
else
override CXXFLAGS += -D_FORTIFY_SOURCE=2 -fstack-protector-strong
override LDFLAGS += -s
STATIC := -static-pie
endif

# Only what a program alone needs.
LIBS_oci-seccomp := -lseccomp
LIBS_oci-init := -lcap
LIBS_oci-cgroup-systemd := -lsystemd
LIBS_oci-spec :=
LINK_ocirun = $(STATIC)
LINK_oci-spec = $(if $(SIMDJSON_SRC),$(STATIC),-pie)
# libsystemd exists as a shared library only; whoever uses it pays for it.
LINK_oci-cgroup-systemd = -pie $(if $(SANITIZE),,-static-libstdc++ -static-libgcc)
$(foreach s,$(filter-out oci-spec oci-cgroup-systemd,$(STAGES)),$(eval LINK_$(s) = $(STATIC)))
ifneq ($(SIMDJSON_SRC),)
# Of simdjson's kernels for x86 only the plain and the AVX2 one: those between are used by few, and each is a page to
# load. Its header includes <iostream>, of which it uses nothing, but which sets up all locales at every start; the
# macro is the header's own include guard.
SIMDJSON_CXXFLAGS := -isystem $(SIMDJSON_SRC) -DSIMDJSON_IMPLEMENTATION_ICELAKE=0 -DSIMDJSON_IMPLEMENTATION_WESTMERE=0 -D_GLIBCXX_IOSTREAM
SIMDJSON_OBJECT := $(B)/obj/simdjson.o
else
LIBS_oci-spec += -lsimdjson
endif

source_dir = $(if $(filter ocirun,$1),bin/ocirun,stages/$1)
sources = $(filter-out %_test.cc,$(wildcard $1/*.cc))
objects = $(patsubst %.cc,$(B)/obj/%.o,$1)

LIB_SOURCES := $(filter-out %_test.cc,$(wildcard lib/*/*.cc))
LIB_TESTS := $(wildcard lib/*/*_test.cc)
UNIT_TESTS := $(B)/tests/lib $(foreach p,$(PROGRAMS),$(if $(wildcard $(call source_dir,$p)/*_test.cc),$(B)/tests/$p))
HELPERS := $(patsubst tests/helpers/%.cc,$(B)/tests/helpers/%,$(wildcard tests/helpers/*.cc))
MAN_SOURCES := $(wildcard bin/ocirun/*.8.md stages/*/*.8.md)
MAN_PAGES := $(patsubst %.md,$(B)/man/%,$(notdir $(MAN_SOURCES)))

all: $(PROGRAMS:%=$(B)/%)

tests: $(UNIT_TESTS) $(HELPERS)

# What is made depends on how: these files are written anew when their text changes.
$(shell mkdir -p $(B)/obj)
remember = $(if $(subst x$(strip $2),,x$(strip $(file <$1)))$(subst x$(strip $(file <$1)),,x$(strip $2)),$(file >$1,$2))
$(call remember,$(B)/obj/flags,$(CXX) $(CXXFLAGS) $(SIMDJSON_CXXFLAGS))
$(call remember,$(B)/obj/commit,$(COMMIT))

$(B)/obj/%.o: %.cc $(B)/obj/flags
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(if $(findstring oci-spec,$<),$(SIMDJSON_CXXFLAGS)) -I$(<D) -c -o $@ $<

$(B)/obj/simdjson.o: $(SIMDJSON_SRC)/simdjson.cpp $(B)/obj/flags
	@mkdir -p $(@D)
	$(CXX) $(filter-out -Werror -Wextra,$(CXXFLAGS)) -w $(SIMDJSON_CXXFLAGS) -c -o $@ $<

# The commit is in two objects, which are made anew when it changes.
SAYS_COMMIT := $(B)/obj/bin/ocirun/main.o $(B)/obj/stages/oci-spec/features_document.o
$(SAYS_COMMIT): override CXXFLAGS += -DOCIRUN_COMMIT='"$(COMMIT)"'
$(SAYS_COMMIT): $(B)/obj/commit

$(B)/lib.a: $(call objects,$(LIB_SOURCES))
	rm -f $@
	$(AR) rcs $@ $^

# Copied, as `make install` does: what the linker writes piece by piece lies in small pieces in the page cache too, and costs
# each start of a program some page faults more.
define program
$(B)/$1: $(call objects,$(call sources,$(call source_dir,$1))) $(SANITIZE_OPTIONS) $(B)/lib.a $(if $(filter oci-spec,$1),$$(SIMDJSON_OBJECT))
	$$(CXX) $$(LINK_$1) $$(LDFLAGS) -o $(B)/obj/$1.linked $$^ $$(LIBS_$1)
	@install -m 755 $(B)/obj/$1.linked $$@ && rm $(B)/obj/$1.linked
$(B)/tests/$1: $(call objects,$(filter-out %/main.cc,$(call sources,$(call source_dir,$1))) $(wildcard $(call source_dir,$1)/*_test.cc)) \
		$(B)/obj/tests/doctest_main.o $(B)/lib.a $(if $(filter oci-spec,$1),$$(SIMDJSON_OBJECT))
	@mkdir -p $$(@D)
	$$(CXX) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$1)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$p)))

$(B)/tests/lib: $(call objects,$(LIB_TESTS)) $(B)/obj/tests/doctest_main.o $(B)/lib.a
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) -o $@ $^

.SECONDARY:
$(B)/tests/helpers/%: $(B)/obj/tests/helpers/%.o $(SANITIZE_OPTIONS)
	@mkdir -p $(@D)
	$(CXX) $(STATIC) $(LDFLAGS) -o $@ $^

# For tests/fuzz/run, which says by which compiler.
FUZZERS := $(patsubst tests/fuzz/%.cc,$(B)/fuzz/%,$(wildcard tests/fuzz/*.cc))
fuzzers: $(FUZZERS)
$(B)/obj/tests/fuzz/%.o: override CXXFLAGS += -Istages/oci-spec
$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(call objects,$(filter-out %/main.cc,$(call sources,stages/oci-spec))) $(B)/lib.a $(SIMDJSON_OBJECT)
	@mkdir -p $(@D)
	$(CXX) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LIBS_oci-spec)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# What is missing on this machine, from the distribution; nothing to do, and no network, the second time.
deps:
	@packaging/deps

# `deps` may bring simdjson's source, which a make that runs already has not seen.
check: deps
	@$(MAKE) --no-print-directory all tests docs
	@OCIRUN_BUILD=$(B) tests/run $(if $(TESTS),$(TESTS),$(UNIT_TESTS) tests)

check-vm: deps
	@$(MAKE) --no-print-directory all tests docs
	@OCIRUN_BUILD=$(B) VM=$(VM) tests/vm $(or $(TESTS),$(if $(filter v1 hybrid,$(VM_CGROUP)),$(VM_TESTS_V1),$(VM_TESTS)))

demo: deps
	@$(MAKE) --no-print-directory all
	@OCIRUN_BUILD=$(B) docs/demo

bench: deps
	@$(MAKE) --no-print-directory all
	@OCIRUN_BUILD=$(B) BENCH=$(BENCH) tests/bench

HAVE_PANDOC := $(shell command -v pandoc)
docs: $(if $(HAVE_PANDOC),$(MAN_PAGES))

define man_page
$(B)/man/$(basename $(notdir $1)): $1 Makefile
	@mkdir -p $$(@D)
	pandoc --standalone --from markdown-smart --to man --metadata footer='ocirun $(VERSION)' $$< | \
		sed '/^\.SH NAME/,/^\.SH SYNOPSIS/s/\\f\[[BIR]\]//g' >$$@
endef
$(foreach m,$(MAN_SOURCES),$(eval $(call man_page,$m)))

install: all docs
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/ocirun $(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(B)/ocirun $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(STAGES:%=$(B)/%) $(DESTDIR)$(PREFIX)/libexec/ocirun
	$(if $(HAVE_PANDOC),install -m 644 $(MAN_PAGES) $(DESTDIR)$(PREFIX)/share/man/man8)
	install -m 644 packaging/ocirun.bash-completion $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ocirun
	for stage in $(STAGES); do ln -sf ocirun $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$stage; done

uninstall:
	rm -rf $(DESTDIR)$(PREFIX)/libexec/ocirun
	rm -f $(DESTDIR)$(PREFIX)/bin/ocirun $(addprefix $(DESTDIR)$(PREFIX)/share/bash-completion/completions/,$(PROGRAMS)) \
		$(addprefix $(DESTDIR)$(PREFIX)/share/man/man8/,$(notdir $(MAN_PAGES)))

lint:
	@tests/lint $(SIMDJSON_CXXFLAGS)

format:
	clang-format -i $(wildcard lib/*/*.h lib/*/*.cc bin/*/*.h bin/*/*.cc stages/*/*.h stages/*/*.cc tests/*.cc tests/*/*.cc)

clean:
	rm -rf $(filter-out build/deps,$(wildcard build/*))

.PHONY: all tests fuzzers deps check check-vm demo bench docs install uninstall lint format clean
