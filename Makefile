# Ballast.  `make run` shows it, `make check` tests it; both install what is
# missing first (Debian packages, see .ci/deps).
CC      ?= cc
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=

WARN    = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
          -Wmissing-prototypes -Wwrite-strings -Wundef -Wvla -Werror
OPT     = -O3 -g -ffp-contract=off
HARDEN  = -fstack-protector-strong -D_FORTIFY_SOURCE=2
CFLAGS  = -std=c11 -D_POSIX_C_SOURCE=200809L -I. $(OPT) $(HARDEN) $(WARN) \
          -pthread -MMD -MP $(EXTRA)
LDLIBS  = -lmodbus -lpaho-mqtt3as -lgsl -lgslcblas -lsqlite3 -lcjson -lyaml \
          -lcurl -lmicrohttpd -lm
# One short line per step; `make V=1` shows the commands, `make -s` nothing.
Q       = $(if $(V),,@)
SAY     = @$(if $(findstring s,$(firstword -$(MAKEFLAGS)))$(V),:,echo "  ")
# As many jobs as cores, unless -j was given.
ALL     = $(MAKE) --no-print-directory \
          $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

# Warnings are the plain build's business: the sanitizers' own code confuses
# gcc's range analysis.
SAN     = -fsanitize=address,undefined -fno-sanitize-recover=all \
          -fno-omit-frame-pointer -w

# The floors, bottom first; .ci/lint checks the include lines by it.
FLOORS  = models policies adapters controller/step controller replay
SRC     = $(foreach d,$(FLOORS),$(wildcard $(d)/*.c))
OBJ     = $(SRC:%.c=$(BUILD)/%.o)
LIB     = $(BUILD)/libballast.a
BALLAST = $(if $(filter build,$(BUILD)),ballast,$(BUILD)/ballast)

# A test is a program tests/**/test_*.c or a script tests/*/*.test.sh; the
# other .c files beside a program are linked to it.  T=word picks some.
TESTSRC = $(wildcard tests/*/test_*.c tests/*/*/test_*.c)
SUPPORT = $(filter-out $(TESTSRC),$(wildcard tests/*/*.c tests/*/*/*.c))
TESTS   = $(TESTSRC:%.c=$(BUILD)/%)
SCRIPTS = $(wildcard tests/*/*.test.sh)
PICKED  = $(if $(T),$(foreach t,$(TESTS) $(SCRIPTS),\
          $(if $(findstring $(T),$t),$t)),$(SCRIPTS) $(TESTS))

# What must be a function of its arguments alone; .ci/pure proves it.
PURE    = $(filter $(BUILD)/models/%.o $(BUILD)/policies/%.o \
          $(BUILD)/controller/step/%.o,$(OBJ))

all: $(BALLAST)

run: deps-run
	@$(ALL) all
	./ballast demo $(DEMO)

check: deps-check
	@$(ALL) test

test: $(BALLAST) $(filter $(TESTS),$(PICKED))
	@BALLAST=$(CURDIR)/$(BALLAST) tests/run.sh $(PICKED)

san: deps-check
	@$(ALL) BUILD=$(BUILD)/san OPT="-O1 -g -ffp-contract=off" HARDEN= \
	    EXTRA="$(SAN)" LDFLAGS="$(SAN)" test

pure: $(PURE)
	@.ci/pure $(PURE)

lint: deps-lint $(BALLAST)
	@BALLAST=./$(BALLAST) .ci/lint $(FLOORS)

bench: $(BALLAST)
	./$(BALLAST) bench $(BENCH)

fmt:
	clang-format -i $$(find ballast.c $(FLOORS) tests -name '*.[ch]')

clean:
	rm -rf build ballast

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/ballast/maps \
	    $(DESTDIR)$(PREFIX)/share/ballast/sites \
	    $(DESTDIR)$(PREFIX)/share/ballast/plans
	install -m 755 ballast $(DESTDIR)$(PREFIX)/bin/ballast
	install -m 644 adapters/maps/*.json $(DESTDIR)$(PREFIX)/share/ballast/maps
	install -m 644 replay/sites/* $(DESTDIR)$(PREFIX)/share/ballast/sites
	install -m 644 replay/plans/* $(DESTDIR)$(PREFIX)/share/ballast/plans

deps-run deps-check deps-lint: deps-%:
	@.ci/deps $*

$(LIB): $(OBJ)
	$(SAY) lib $@
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(BALLAST): $(BUILD)/ballast.o $(LIB)
	$(SAY) ld $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(BUILD)/%.o: %.c
	$(SAY) cc $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -c $< -o $@

beside = $(foreach s,$(SUPPORT),\
         $(if $(filter $(1:$(BUILD)/%=%)/,$(dir $s)),$(s:%.c=$(BUILD)/%.o)))

.SECONDEXPANSION:
$(TESTS): $(BUILD)/%: $(BUILD)/%.o $$(call beside,$$(@D)) $(LIB)
	$(SAY) ld $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka $(LDLIBS) -o $@

-include $(OBJ:.o=.d) $(BUILD)/ballast.d $(TESTS:=.d) \
         $(SUPPORT:%.c=$(BUILD)/%.d)

.SECONDARY:
.PHONY: all run check test san pure lint bench fmt clean install deps-run \
        deps-check deps-lint
