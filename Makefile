# tsp - simulator, compiler and assembler for a Tensor Streaming Processor.
#
#   make demo     install what is missing, build, compile and run a matmul
#   make check    install what is missing, build, run every test
#   make          build build/release/tsp;  MODE=debug or MODE=sanitize build beside it
#   make cosim    both engines and the verifier on 100,000 random programs and 10,000 faults
#   make faults   plant 10,000 single and 10,000 double flips in programs of all units
#   make bench    the simulator's speed, as ratios to the bare arithmetic (docs/performance.md)
#   make figures  published figures of the chip beside simulated ones (docs/figures.md)
#   make graphs   1,000 random graphs of up to 12 nodes on each machine, values and cycles checked
#   make sweep    utilisation of matmuls of 532 widths, as numbers and as a picture in build/
#                 (docs/figures.md), minutes;  SWEEP=int8 for the other type
#   make sweep-flat  cycles and bounds of long vectors, an operator and a type a line
#   make fuzz     the readers under libFuzzer, FUZZ_SECONDS (600) each;  FUZZ=graph for one
#   make bless    accept the error messages of tests/bad and the pictures of tests/pictures as they
#                 are now; then look at the diff
#   make coverage  line coverage of isa/ and sim/;  make mutants  plant faults, see tests fail
#   make docs     regenerate docs/isa.md from isa/isa.def, and the keys in docs/viewer.md
#   make format   clang-format every source;  make lint says what it would change
#   make install  to PREFIX (/usr/local);  make clean;  make help
#
#   CC=clang make ...  another compiler, its own build folder;  V=1 prints the commands
#
MODE ?= release
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif
BUILD := build/$(MODE)$(if $(filter gcc,$(CC)),,-$(CC))
Q := $(if $(V),,@)
# One job a core, for whoever does not say -j.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2) --no-print-directory
endif

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion
# In instrumented code gcc takes arrays that are filled in part for uninitialised.
WARN_sanitize := -Wno-maybe-uninitialized
CFLAGS_release  := -O2 -g -DNDEBUG
CFLAGS_debug    := -O0 -g
CFLAGS_sanitize := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_coverage := -O0 -g --coverage
CFLAGS ?=
# No contraction: a fused multiply-add would round differently on different hosts.
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE $(WARN) $(WARN_$(MODE)) -ffp-contract=off $(CFLAGS_$(MODE)) $(WERROR) -I. $(VIZ_CFLAGS) -MMD -MP $(CFLAGS)
LDFLAGS_sanitize := -fsanitize=address,undefined
LDFLAGS_coverage := --coverage
LDLIBS := -lcjson -lm -lpthread -ldl

# The viewer is built where its libraries are; without them all else is, and so are its tests. What
# traces need is built anywhere.
WITHOUT_VIEWER := viz/timeline.c viz/operands.c $(wildcard viz/trace*.c) tests/test_timeline.c
VIZ_PACKAGES := sdl2 SDL2_ttf libpng
VIEWER := $(shell pkg-config --exists $(VIZ_PACKAGES) 2>/dev/null && echo yes || echo no)
ifeq ($(VIEWER),yes)
# -isystem: our warnings are not for other people's headers.
VIZ_CFLAGS := -DTSP_HAVE_VIEWER $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(VIZ_PACKAGES)))
VIZ_LIBS := -Wl,--as-needed $(shell pkg-config --libs $(VIZ_PACKAGES))
else
WITHOUT := $(filter-out $(WITHOUT_VIEWER),$(wildcard viz/*.c) $(shell grep -l '"viz/' tests/*.c))
endif

ROOMS    := isa report sim compiler $(patsubst %/,%,$(wildcard compiler/*/)) viz programs/1brc programs/transformer
# Programs beside tsp: they make the challenge's measurements, and graphs of transformers.
GENERATE := programs/1brc/generate programs/transformer/generate
LIB_SRC  := $(filter-out $(WITHOUT) $(GENERATE:%=%.c),$(wildcard $(ROOMS:%=%/*.c)))
CLI_SRC  := $(wildcard cli/*.c)
# tsp and tsp-view are the same but for these: tsp starts the other to look at something.
TSP_ONLY := cli/launch.c
VIEW_ONLY := cli/view.c cli/bench_view.c
TEST_SRC := $(filter-out $(WITHOUT),$(wildcard tests/test_*.c))
PIC_SRC  := $(filter-out $(WITHOUT),$(wildcard tests/picture_*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
CLI_OBJ  := $(CLI_SRC:%.c=$(BUILD)/%.o)
TSP_OBJ  := $(filter-out $(VIEW_ONLY:%.c=$(BUILD)/%.o),$(CLI_OBJ))
VIEW_OBJ := $(filter-out $(TSP_ONLY:%.c=$(BUILD)/%.o),$(CLI_OBJ))
PICTURES := $(PIC_SRC:%.c=$(BUILD)/%)
SWEEPS   := $(patsubst %.c,$(BUILD)/%,$(filter-out $(WITHOUT),tests/sweep.c tests/sweep_plot.c))
FLAT     := $(BUILD)/tests/sweep_flat
TESTS    := $(TEST_SRC:%.c=$(BUILD)/%) $(PICTURES) $(SWEEPS) $(FLAT) $(BUILD)/tests/figures
SOURCES  := $(wildcard $(foreach room,$(ROOMS) cli tests,$(room)/*.[ch]))

.PHONY: all tests demo check deps cosim faults figures bench docs bless format lint install clean help
# Kept, though only chains of rules name them; the others are asked for by name.
.SECONDARY: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/*.c tests/fuzz/*.c))
PROGRAMS := $(BUILD)/tsp $(if $(filter yes,$(VIEWER)),$(BUILD)/tsp-view)
all: $(PROGRAMS) $(GENERATE:%=$(BUILD)/%)
	@:
tests: $(TESTS)
	@:

$(BUILD)/libtsp.a: $(LIB_OBJ) $(BUILD)/viewer-$(VIEWER)
	@rm -f $@
	$(Q)ar rcs $@ $(LIB_OBJ)

# Newer than what was built when the viewer's libraries were not there, or were.
$(BUILD)/viewer-$(VIEWER):
	@mkdir -p $(@D)
	@rm -f $(BUILD)/viewer-*
	@touch $@
$(CLI_OBJ): $(BUILD)/viewer-$(VIEWER)

$(BUILD)/tsp: $(TSP_OBJ) $(BUILD)/libtsp.a
	@echo "link $@"
	$(Q)$(CC) $(LDFLAGS_$(MODE)) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tsp-view: $(VIEW_OBJ) $(BUILD)/libtsp.a
	@echo "link $@"
	$(Q)$(CC) $(LDFLAGS_$(MODE)) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(VIZ_LIBS)

$(GENERATE:%=$(BUILD)/%): %: %.o $(BUILD)/libtsp.a
	@echo "link $@"
	$(Q)$(CC) $(LDFLAGS_$(MODE)) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.o $(BUILD)/libtsp.a
	@echo "link $@"
	$(Q)$(CC) $(LDFLAGS_$(MODE)) $(LDFLAGS) -o $@ $^ -lcheck -lsubunit -lrt $(LDLIBS) $(VIZ_LIBS)

$(BUILD)/tests/campaign_%: $(BUILD)/tests/campaign_%.o $(BUILD)/libtsp.a
	@echo "link $@"
	$(Q)$(CC) $(LDFLAGS_$(MODE)) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/figures $(PICTURES) $(SWEEPS) $(FLAT): %: %.o $(BUILD)/libtsp.a
	@echo "link $@"
	$(Q)$(CC) $(LDFLAGS_$(MODE)) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(VIZ_LIBS)

# These loops are worth it: a tenth of the time of a streaming program, and of a picture.
$(BUILD)/sim/fast%.o $(BUILD)/viz/raster%.o: CFLAGS_release := -O3 -g -DNDEBUG

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "$(CC) $(MODE) $<"
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The compiler may be missing before deps has run, so what needs it is built by a make of its own.
deps:
	@tests/install-deps.sh

demo:
	@tests/install-deps.sh build
	@$(MAKE) all
	@echo; echo '$$ tsp run programs/matmul-int8.json --check'
	@build/release/tsp run programs/matmul-int8.json --check
	@echo; echo 'Try next:'
	@echo '  build/release/tsp run programs/matmul-int8.json --check --report report.json'
	@echo '  build/release/tsp compile programs/matmul-int8.json --dump=schedule'
	@echo '  build/release/tsp view --tour     see it at work, cycle by cycle (docs/viewer.md)'
	@echo '  build/release/tsp info            the machine, every number with its source'
	@echo '  build/release/tsp --help          all commands;  README.md leads to the rest'

check: deps
	@$(MAKE) all tests WERROR=-Werror
	@$(MAKE) all tests WERROR=-Werror MODE=sanitize
	@$(MAKE) all tests WERROR=-Werror CC=clang
	@tests/run.sh

cosim: $(BUILD)/tests/test_cosim
	@tests/cosim.sh $<

.PHONY: graphs
graphs: $(BUILD)/tests/test_random_graphs
	@CK_TIMEOUT_MULTIPLIER=15 RANDOM_GRAPHS=$${RANDOM_GRAPHS:-1000} $<

# How much of isa/ and sim/ the tests run, and whether they notice faults planted on purpose.
.PHONY: coverage mutants
coverage:
	@tests/install-deps.sh coverage
	@$(MAKE) all tests MODE=coverage
	@tests/coverage.sh

mutants: deps
	@tests/mutants.sh $(MUTANT)

faults: $(BUILD)/tests/campaign_faults
	$(Q)$<

# Fuzzing: targets in build/fuzz, and in every build a replay of the committed inputs.
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZERS  := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/%)
REPLAYS  := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/tests/%)
SOURCES  += $(wildcard tests/fuzz/*.[ch])
# The macro is libFuzzer's usual one: tensors of graphs are smaller where it is defined.
CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
.PHONY: fuzz fuzzers
tests: $(REPLAYS)

$(BUILD)/tests/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/libtsp.a
	@echo "link $@"
	$(Q)$(CC) $(LDFLAGS_$(MODE)) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/libtsp.a
	@echo "link $@"
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $^ $(LDLIBS)

fuzzers: $(FUZZERS)
	@:
fuzz:
	@tests/install-deps.sh fuzz
	@$(MAKE) MODE=fuzz CC=clang BUILD=build/fuzz fuzzers
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run.sh $(FUZZ)

bench: all
	@$(BUILD)/tsp bench
	@[ ! -x $(BUILD)/tsp-view ] || $(BUILD)/tsp bench view

docs: all
	$(BUILD)/tsp info --isa-markdown > docs/isa.md.tmp && mv docs/isa.md.tmp docs/isa.md
	$(BUILD)/tsp view --keys > docs/keys.tmp && sed -i -e '/^<!-- keys -->$$/r docs/keys.tmp' \
		-e '/^<!-- keys -->$$/,/^<!-- end -->$$/{/^<!--/!d}' docs/viewer.md; rm docs/keys.tmp

figures: $(BUILD)/tests/figures
	@$<

.PHONY: sweep sweep-flat
SWEEP ?= float16
sweep: $(SWEEPS)
	@$< $(SWEEP) build/sweep-$(SWEEP).csv
	@$(if $(word 2,$^),$(word 2,$^) build/sweep-$(SWEEP).csv build/sweep-$(SWEEP).png)
sweep-flat: $(FLAT)
	@$<

bless: all $(PICTURES)
	@TSP=$(BUILD)/tsp tests/golden.sh --bless
	@TSP=$(BUILD)/tsp tests/pictures.sh --bless

format:
	clang-format -i $(SOURCES)

lint:
	clang-format --dry-run $(SOURCES)

install: all
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(PROGRAMS)
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/tsp programs/tour.txt programs/vecadd.s \
		programs/matmul-small.json programs/barrier.s

clean:
	rm -rf build

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
