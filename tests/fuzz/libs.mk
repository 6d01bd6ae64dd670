# SPDX-License-Identifier: GPL-2.0
# Read behind the top Makefile: what a program of these objects is linked with.
print-libs:
	@echo $(LDLIBS)
