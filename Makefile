# SPDX-License-Identifier: GPL-2.0
# make help lists the targets and the variables.

ifeq ($(origin CC),default)
CC       := gcc
endif
CLANG    ?= $(firstword $(foreach c,clang-14 clang,$(shell command -v $(c))) clang)
STRIP_BPF ?= $(firstword $(foreach c,llvm-strip-14 llvm-strip,$(shell command -v $(c))))
BPFTOOL  ?= $(firstword $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool) bpftool)
CLANG_FORMAT ?= $(firstword $(foreach c,clang-format-14 clang-format,$(shell command -v $(c))) clang-format)
PKGCONF  ?= pkg-config
ARCH     ?= $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')
O        ?= .output$(if $(SAN),/san)
VMLINUX_H ?= vmlinux/$(ARCH)/vmlinux.h

PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
DATADIR  ?= $(PREFIX)/share
MANDIR   ?= $(DATADIR)/man

ifeq ($(V),1)
Q   :=
say  = @:
else
Q   := @
say  = @printf '  %-8s %s\n' $(1) $(patsubst $(O)/%,%,$@)
MAKEFLAGS += --no-print-directory
endif

# ---- flags ----

WERROR   ?= 1
CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Wstrict-prototypes -Wno-unused-parameter $(if $(filter-out 0,$(WERROR)),-Werror)
CPPFLAGS += -iquote src -iquote include -iquote $(O) -D_GNU_SOURCE
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CC_ALL    = $(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARN) $(SANFLAGS)
DEP       = -MMD -MP
BPFFLAGS := -target bpf -mcpu=v3 -g -O2 -Wall $(if $(filter-out 0,$(WERROR)),-Werror) \
	    -D__TARGET_ARCH_$(ARCH) -I$(patsubst %/,%,$(dir $(VMLINUX_H))) -iquote include -iquote bpf

# A library is linked when a source includes its header: $(call lib,HEADER,PKG-CONFIG MODULE,FALLBACK)
SRC      := $(wildcard src/*.c src/*/*.c)
uses      = $(shell grep -lsF '#include <$(1)' $(SRC) /dev/null | head -n 1)
lib       = $(if $(call uses,$(1)),$(or $(shell $(PKGCONF) --libs $(2) 2>/dev/null),$(3)))
LIBDW    := $(call lib,elfutils/libdw,libdw,-ldw)
LIBZSTD  := $(call lib,zstd.h,libzstd,-lzstd)
NCURSES  := $(or $(call lib,ncurses,ncursesw,-lncursesw -ltinfo),$(call lib,curses.h,ncursesw,-lncursesw -ltinfo))
LIBCAPNG := $(call lib,cap-ng.h,libcap-ng,-lcap-ng)
MICROHTTPD := $(call lib,microhttpd.h,libmicrohttpd,-lmicrohttpd)
SQLITE   := $(call lib,sqlite3.h,sqlite3,-lsqlite3)
LDLIBS   += $(MICROHTTPD) $(LIBDW) $(LIBZSTD) $(NCURSES) $(LIBCAPNG) $(SQLITE) -lbpf -lelf -lz -lm -pthread
CHECKLIBS = $(or $(shell $(PKGCONF) --libs check 2>/dev/null),-lcheck -lrt -lm -lsubunit)

# ---- what there is ----

# bpf/ipctrace.bpf.c includes the other parts, where it exists.
BPF_SRC  := $(or $(wildcard bpf/ipctrace.bpf.c),$(wildcard bpf/*.bpf.c))
BPF_OBJ  := $(patsubst %.c,$(O)/%.o,$(BPF_SRC))
SKEL     := $(if $(BPF_OBJ),$(O)/ipctrace.skel.h)
OBJ      := $(patsubst %.c,$(O)/%.o,$(SRC))
KERN_OBJ := $(filter $(O)/src/kern/%,$(OBJ))
LIB      := $(O)/libipctrace.a
UNIT     := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/test_*.c))
RINGS    := lint unit golden cli cost page live tui

ifneq ($(BPF_OBJ),)
ifeq ($(wildcard $(VMLINUX_H)),)
ifeq ($(filter clean help doctor-deps lint,$(MAKECMDGOALS)),)
$(error no $(VMLINUX_H): ipctrace does not know '$(ARCH)' yet; add vmlinux/$(ARCH)/vmlinux.h or pass VMLINUX_H=)
endif
endif
endif

# ---- the program ----

all: $(O)/ipctrace
	$(Q)cmp -s $< ipctrace || { rm -f ipctrace && { ln $< ipctrace 2>/dev/null || cp $< ipctrace; }; }

$(O)/ipctrace: $(OBJ)
	$(call say,LINK)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(O)/bpf/%.bpf.o: bpf/%.bpf.c $(VMLINUX_H) $(O)/.bpfflags
	$(call say,BPF)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPFFLAGS) $(DEP) -c $< -o $@

# DWARF would make the program a hundred times as large; BTF stays.
$(O)/ipctrace.bpf.o: $(BPF_OBJ)
	$(call say,BPFLINK)
	$(Q)$(BPFTOOL) gen object $@ $^
	$(if $(STRIP_BPF),$(Q)$(STRIP_BPF) -g $@)

$(O)/ipctrace.skel.h: $(O)/ipctrace.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name ipctrace_bpf > $@

# The first time the skeleton must be there before a source that includes it; later the .d files know who does.
$(KERN_OBJ): | $(SKEL)

# The page's parts are embedded by the assembler; its policy names them by their hashes (coreutils only).
PAGE     := src/view/page
PAGE_LIBRARY := $(PAGE)/vendor/cytoscape-3.34.4.min.js
page_hash = $$(sha256sum $(1) | cut -c1-64 | tr a-f A-F | basenc --base16 -d | base64)
$(O)/page_hashes.h: $(PAGE)/page.css $(PAGE)/page.js $(PAGE_LIBRARY)
	$(call say,HASH)
	$(Q)mkdir -p $(@D)
	$(Q)printf '#define PAGE_HASH_%s "%s"\n' STYLE "$(call page_hash,$(PAGE)/page.css)" \
		SCRIPT "$(call page_hash,$(PAGE)/page.js)" LIBRARY "$(call page_hash,$(PAGE_LIBRARY))" > $@
$(O)/src/view/graph_html.o: | $(O)/page_hashes.h
$(O)/src/view/page_files.o: $(wildcard $(PAGE)/page.*) $(PAGE_LIBRARY)

$(O)/src/%.o: src/%.c $(O)/.cflags
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_ALL) $(DEP) -c $< -o $@

$(LIB): $(filter-out $(O)/src/main.o,$(OBJ))
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(O)/tests/unit/%: tests/unit/%.c $(LIB) $(O)/.cflags
	$(call say,UNIT)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_ALL) $(DEP) -MT $@ -MF $@.d $< $(LIB) $(LDFLAGS) $(CHECKLIBS) $(LDLIBS) -o $@

$(O)/tests/cost/%: tests/cost/%.c $(LIB) $(O)/.cflags
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_ALL) $(DEP) -MT $@ -MF $@.d $< $(LIB) $(LDFLAGS) $(LDLIBS) -o $@

# Objects of other flags must not be mixed in: these files change exactly when the flags do.
stamp = mkdir -p $(O) && printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(1))' > $@
$(O)/.cflags: FORCE
	@$(call stamp,$(CC_ALL))
$(O)/.bpfflags: FORCE
	@$(call stamp,$(CLANG) $(BPFFLAGS))

# ---- tests ----

unit: $(UNIT)

# The same tests under AddressSanitizer and UBSan, beside the ordinary build.
unit-san:
	$(Q)$(MAKE) O=$(O)/san SAN=address,undefined unit

ring = O=$(O) UNIT_DIR=$(O)/san/tests/unit tests/run $(1)

check: all unit-san cost-programs
	$(Q)$(call ring,$(RINGS))
check-unit: unit-san
	$(Q)$(call ring,unit)
check-golden check-cli check-page check-live check-tui: check-%: all
	$(Q)$(call ring,$*)
golden: check-golden
check-kernels check-fuzz check-real: check-%: all
	$(Q)$(call ring,$*)
cost-programs: $(O)/tests/cost/repack
check-cost: check-%: all cost-programs
	$(Q)$(call ring,$*)
lint:
	$(Q)$(call ring,lint)
format:
	$(Q)find include src bpf tests -name '*.[ch]' -exec $(CLANG_FORMAT) -i {} +
bench: all
	$(Q)O=$(O) CC="$(CC)" tests/bench/run
bench-real: all
	$(Q)tests/bench/real

# ---- the rest ----

doctor-deps:
	@scripts/setup.sh -n build

install: all
	install -D -m 755 $(O)/ipctrace $(DESTDIR)$(BINDIR)/ipctrace
	for page in docs/man/*.[157]; do \
		[ ! -f "$$page" ] || install -D -m 644 "$$page" \
			"$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}" || exit 1; \
	done
	[ ! -f completions/ipctrace.bash ] || install -D -m 644 completions/ipctrace.bash \
		$(DESTDIR)$(DATADIR)/bash-completion/completions/ipctrace
	[ ! -f completions/_ipctrace ] || install -D -m 644 completions/_ipctrace \
		$(DESTDIR)$(DATADIR)/zsh/site-functions/_ipctrace
	[ ! -f completions/ipctrace.fish ] || install -D -m 644 completions/ipctrace.fish \
		$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/ipctrace.fish

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/ipctrace
	for page in docs/man/*.[157]; do \
		rm -f "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; \
	done
	rm -f $(DESTDIR)$(DATADIR)/bash-completion/completions/ipctrace \
		$(DESTDIR)$(DATADIR)/zsh/site-functions/_ipctrace \
		$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/ipctrace.fish

clean:
	$(Q)rm -rf $(O)
	$(Q)rm -f ipctrace

help:
	@echo 'make              build ./ipctrace'
	@echo 'make check        build, then every test ring that runs on this machine: $(RINGS)'
	@echo 'make check-RING   one ring: unit golden cli cost page live tui fuzz kernels real (live, tui, kernels, real: as root)'
	@echo 'make lint         room rules, formatting, lengths'
	@echo 'make format       have clang-format rewrite the sources'
	@echo 'make bench        what tracing costs here, beside other tools (as root; BENCH_QUICK=1, BENCH_JSON=FILE, BENCH_PLOT=FILE)'
	@echo 'make bench-real   what it leaves of the speed of Redis and PostgreSQL, where installed (as root; the same variables)'
	@echo 'make doctor-deps  which build dependencies are missing, and how to get them'
	@echo 'make install      into PREFIX ($(PREFIX)), below DESTDIR; make uninstall takes it out again'
	@echo 'make clean        remove what was built'
	@echo
	@echo 'V=1 show commands; O=DIR build there; SAN=address,undefined; WERROR=0; CFLAGS=...;'
	@echo 'CC= CLANG= BPFTOOL= PKGCONF= tools; ARCH= target (x86, arm64), VMLINUX_H= its kernel types'

-include $(OBJ:.o=.d) $(BPF_OBJ:.o=.d) $(addsuffix .d,$(UNIT))

FORCE:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all unit unit-san check check-unit golden check-golden check-cli check-page check-live check-tui check-kernels check-fuzz check-real check-cost cost-programs lint format bench bench-real \
	doctor-deps install uninstall clean help FORCE
