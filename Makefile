# make            build bin/*                   make demo       set up, build, run the whole line
# make check      set up, build, run all tests  make test       the tests alone
# make asan|ubsan|tsan the tests, sanitized     make tidy       static checks
# make format     lay out the sources           make bench      measurements, as TSV
# make fuzz       build the fuzz targets        make install    to $(DESTDIR)$(PREFIX)
# make soak       training, killed at random for MINUTES (10): the same bytes?
# make clean
# Overrides go on the command line or in config.mk (not in git). MPI=no builds without MPI,
# DNNL=no without oneDNN (bf16 is slow then), OMP=no without OpenMP, V=1 shows the commands.
-include config.mk

VARIANT  ?= release
PREFIX   ?= /usr/local
CC       ?= cc
OPT      ?= -O2 -g
OMP      ?= -fopenmp
override OMP := $(filter-out no,$(OMP))
WARN      = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wvla -Wwrite-strings -Wpointer-arith -Werror $(if $(OMP),,-Wno-unknown-pragmas)
CPPFLAGS += -Isrc -D_XOPEN_SOURCE=700
CFLAGS   += -std=c11 -ffp-contract=off $(OMP) $(OPT) $(WARN) $(SAN)
PKG      := zlib libzstd libxml-2.0 icu-uc icu-i18n libmd libxxhash libdivsufsort jansson libpsl \
            openblas
PKG      += $(if $(filter no,$(MPI)),,ompi-c)
ISAL     := $(shell pkg-config --exists libisal && echo libisal)
DNNL_LIB := $(if $(filter no,$(DNNL)),,$(shell echo '\#include <dnnl.h>' | \
            $(CC) $(CPPFLAGS) -E -xc - >/dev/null 2>&1 && echo -ldnnl))
CPPFLAGS += $(if $(ISAL),-DHAVE_ISAL) $(if $(DNNL_LIB),-DHAVE_DNNL) $(shell pkg-config --cflags $(PKG) 2>/dev/null)
LDLIBS   += $(shell pkg-config --libs $(PKG) $(ISAL) 2>/dev/null) $(DNNL_LIB) -lm

B    := build/$(VARIANT)
BIN  := $(if $(filter release,$(VARIANT)),bin,$B/bin)
SRC  := $(filter-out src/cmd/% src/comm/$(if $(filter no,$(MPI)),mpi%,self).c,$(wildcard src/*/*.c))
OBJ  := $(SRC:%.c=$B/%.o)
TOOL := $(patsubst src/cmd/%.c,$(BIN)/%,$(wildcard src/cmd/*.c))
UNIT := $(patsubst %.c,$B/%,$(wildcard tests/unit/*/test_*.c))
GOLD := $(patsubst %.c,$B/%,$(wildcard tests/golden/*.c))
SOURCES := $(wildcard src/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])
FUZZ := $(patsubst %.c,$B/%,$(wildcard tests/fuzz/fuzz_*.c))
TEST := $(UNIT) $(wildcard tests/cmd/*.t tests/golden/*.t tests/fuzz/*.t)
# What has threads of ours. OpenMP's are none: gcc's sanitizer sees no barrier of libgomp, also
# of OpenBLAS's, and would call each loop a race.
THREADED := $(patsubst %.c,build/tsan/%,$(wildcard tests/unit/base/test_*.c \
    tests/unit/minhash/test_*.c tests/unit/vocab/test_*.c) tests/unit/clean/test_run.c) \
    $(patsubst %,tests/cmd/%.t,c4clean langid spm-encode spm-train dedup-docs)
ifeq ($(VARIANT),release)
TEST += $(wildcard tests/mpi/*.t tests/pipe/*.t tests/lint/*.t)
endif

# what a rule prints, and the command, or with V=1 the command alone
run = $(if $V,,@printf '%7s %s\n' $1 $@;)

all: $(TOOL)

$(BIN)/%: $B/src/cmd/%.o $B/libswitchyard.a
	@mkdir -p $(@D)
	$(call run,link)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(LDLIBS)

$B/tests/unit/%: $B/tests/unit/%.o $B/tests/unit/main.o $B/libswitchyard.a
	$(call run,link)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -Wl,--as-needed -lcmocka $(LDLIBS)

$B/tests/golden/%: $B/tests/golden/%.o $B/libswitchyard.a
	$(call run,link)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(LDLIBS)

$B/tests/fuzz/fuzz_%: $B/tests/fuzz/fuzz_%.o $(if $(filter fuzz,$(VARIANT)),,$B/tests/fuzz/replay.o) \
    $B/libswitchyard.a
	$(call run,link)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(LDLIBS)

$B/tests/bench/%: $B/tests/bench/%.o $B/libswitchyard.a
	$(call run,link)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(LDLIBS)

$B/libswitchyard.a: $(OBJ)
	$(call run,archive)rm -f $@ && $(AR) rcs $@ $^

$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(call run,compile)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$B/flags: FORCE                         # a changed flag rebuilds what it touches
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(CPPFLAGS) $(CFLAGS)' >$@

demo check:                             # what they need may not be there yet: set up, then look again
	shell/setup
	$(MAKE) -j$$(nproc) all $(if $(filter check,$@),units)
	$(if $(filter check,$@),$(MAKE) test,pipelines/demo)

units: $(UNIT) $(GOLD) $(FUZZ)

test: all units
	BIN=$(abspath $(BIN)) prove -j$$(nproc) -e '' $(TEST)

asan:  ; ASAN_OPTIONS=detect_leaks=$(if $(LEAKS),1,0) $(MAKE) test VARIANT=asan OPT='-O1 -g' \
         SAN='-fsanitize=address -fno-omit-frame-pointer'
ubsan: ; $(MAKE) test VARIANT=ubsan OPT='-O1 -g' SAN='-fsanitize=undefined -fno-sanitize-recover=all'
tsan:  ; $(MAKE) test VARIANT=tsan OPT='-O1 -g' OMP= MPI=no SAN=-fsanitize=thread TEST='$(THREADED)'

# These two need more than shell/packages: clang-format, clang-tidy and cppcheck; clang and
# libclang-rt-14-dev.
have = @for t in $1; do command -v $$t >/dev/null || \
         { echo "make $@: $$t is missing (apt-get install $$t)" >&2; exit 1; }; done
tidy:
	$(call have,clang-format clang-tidy cppcheck shellcheck)
	@echo $(SOURCES) | xargs clang-format --dry-run -Werror
	@ls src/*/*.c | xargs -P$$(nproc) -n4 sh -c 'clang-tidy --quiet "$$@" -- $(CPPFLAGS) -std=c11' -
	@cppcheck -j$$(nproc) --quiet --enable=warning,portability,performance --std=c11 --inline-suppr \
	    --suppress=missingIncludeSystem -Isrc --error-exitcode=1 src
	@prove -e '' tests/lint/shellcheck.t
fuzz:
	$(call have,clang)
	$(MAKE) fuzzers VARIANT=fuzz CC=clang OMP= OPT='-O1 -g' \
	    SAN='-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all'
fuzzers: $(FUZZ)
build/fuzz/src/kernel/%.o: override SAN :=     # no fuzzer comes there, and clang takes minutes over checks in it

format:
	@clang-format -i $(SOURCES)

bench: all $B/tests/bench/gemm_rate
	@BIN=$(abspath $(BIN)) tests/bench/run $B/tests/bench/gemm_rate

soak: all
	@BIN=$(abspath $(BIN)) tests/soak $(MINUTES)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/switchyard/pipelines \
	    $(DESTDIR)$(PREFIX)/share/switchyard/shell $(DESTDIR)$(PREFIX)/share/switchyard/share
	install -m 755 $(TOOL) $(DESTDIR)$(PREFIX)/bin
	install -m 755 pipelines/* $(DESTDIR)$(PREFIX)/share/switchyard/pipelines
	cp -R shell/. $(DESTDIR)$(PREFIX)/share/switchyard/shell
	cp -R share/. $(DESTDIR)$(PREFIX)/share/switchyard/share
	for s in 1 5 7; do install -d $(DESTDIR)$(PREFIX)/share/man/man$$s && \
	    install -m 644 man/man$$s/* $(DESTDIR)$(PREFIX)/share/man/man$$s; done
	shell/completions $(BIN) $(DESTDIR)$(PREFIX)/share

clean:
	rm -rf build $(patsubst src/cmd/%.c,bin/%,$(wildcard src/cmd/*.c))

FORCE:
.PHONY: all demo check units test asan ubsan tsan fuzz fuzzers tidy format bench soak install clean FORCE
.SECONDARY:
-include $(shell find build -name '*.d' 2>/dev/null)
