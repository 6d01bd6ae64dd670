# SPDX-License-Identifier: GPL-2.0
"""Virtual machines for the kernel ring: fetch a kernel, put files around it, boot it, run a command in it."""
