# ocirun: build, test, install. `make` builds everything into build/.
#   make deps all check check-vm demo bench install lint format docs clean
# Variables: CXX CXXFLAGS LDFLAGS PREFIX DESTDIR SANITIZE=1 TESTS=FILE... SIMDJSON_SRC=DIR

PREFIX ?= /usr/local
CXXFLAGS ?= -O2 -g1
B := build$(if $(SANITIZE),/sanitize)

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
else
override CXXFLAGS += -D_FORTIFY_SOURCE=2 -fstack-protector-strong
override LDFLAGS += -s
STATIC := -static-pie
endif

# Only what a program alone needs.
LIBS_oci-seccomp := -lseccomp
LIBS_oci-init := -lcap
LIBS_oci-spec := -lcap
LINK_ocirun = $(STATIC)
LINK_oci-spec = $(if $(SIMDJSON_SRC),$(STATIC),-pie)
$(foreach s,$(filter-out oci-spec,$(STAGES)),$(eval LINK_$(s) = $(STATIC)))
ifneq ($(SIMDJSON_SRC),)
SIMDJSON_CXXFLAGS := -isystem $(SIMDJSON_SRC)
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
HELPERS := $(patsubst tests/helpers/%.cc,$(B)/tests/%,$(wildcard tests/helpers/*.cc))

all: $(PROGRAMS:%=$(B)/%)

$(B)/obj/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(if $(findstring oci-spec,$<),$(SIMDJSON_CXXFLAGS)) -I$(<D) -c -o $@ $<

$(B)/obj/simdjson.o: $(SIMDJSON_SRC)/simdjson.cpp
	@mkdir -p $(@D)
	$(CXX) $(filter-out -Werror -Wextra,$(CXXFLAGS)) -w -isystem $(SIMDJSON_SRC) -c -o $@ $<

# The commit is in one object, which is made anew when it changes.
$(B)/obj/bin/ocirun/main.o: override CXXFLAGS += -DOCIRUN_COMMIT='"$(COMMIT)"'

$(B)/lib.a: $(call objects,$(LIB_SOURCES))
	rm -f $@
	$(AR) rcs $@ $^

define program
$(B)/$1: $(call objects,$(call sources,$(call source_dir,$1))) $(B)/lib.a $(if $(filter oci-spec,$1),$$(SIMDJSON_OBJECT))
	$$(CXX) $$(LINK_$1) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$1)
$(B)/tests/$1: $(call objects,$(filter-out %/main.cc,$(call sources,$(call source_dir,$1))) $(wildcard $(call source_dir,$1)/*_test.cc)) \
		$(B)/obj/tests/doctest_main.o $(B)/lib.a $(if $(filter oci-spec,$1),$$(SIMDJSON_OBJECT))
	@mkdir -p $$(@D)
	$$(CXX) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$1)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$p)))

$(B)/tests/lib: $(call objects,$(LIB_TESTS)) $(B)/obj/tests/doctest_main.o $(B)/lib.a
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) -o $@ $^

$(B)/tests/%: $(B)/obj/tests/helpers/%.o
	@mkdir -p $(@D)
	$(CXX) -static $(LDFLAGS) -o $@ $^

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

clean:
	rm -rf build

.PHONY: all clean
