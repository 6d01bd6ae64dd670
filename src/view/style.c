/* SPDX-License-Identifier: GPL-2.0 */
#include "view/style.h"

#include "event/wire.h"

/* clang-format off */
static const struct style styles[IPCT_MECH_CNT] = {
	[IPCT_MECH_NONE]           = { "0",  "#555555", "ellipse" },
	[IPCT_MECH_PIPE]           = { "36", "#1f77b4", "cds" },
	[IPCT_MECH_FIFO]           = { "36", "#17a2b8", "cds" },
	[IPCT_MECH_SIGNAL]         = { "33", "#b8860b", "diamond" },
	[IPCT_MECH_SYSV_MSG]       = { "35", "#8e44ad", "folder" },
	[IPCT_MECH_SYSV_SEM]       = { "34", "#34568b", "octagon" },
	[IPCT_MECH_SYSV_SHM]       = { "32", "#2e8b57", "cylinder" },
	[IPCT_MECH_POSIX_MQ]       = { "35", "#c06bc0", "folder" },
	[IPCT_MECH_POSIX_SEM]      = { "34", "#5b7fb9", "octagon" },
	[IPCT_MECH_POSIX_SHM]      = { "32", "#6b8e23", "cylinder" },
	[IPCT_MECH_UNIX_STREAM]    = { "32", "#2ca02c", "hexagon" },
	[IPCT_MECH_UNIX_DGRAM]     = { "92", "#7fbf3f", "hexagon" },
	[IPCT_MECH_UNIX_SEQPACKET] = { "92", "#4f9f6f", "hexagon" },
	[IPCT_MECH_TCP]            = { "34", "#4b0082", "house" },
	[IPCT_MECH_UDP]            = { "94", "#7b68ee", "house" },
	[IPCT_MECH_EVENTFD]        = { "33", "#d2a03c", "octagon" },
	[IPCT_MECH_PTY]            = { "37", "#708090", "tab" },
	[IPCT_MECH_PTRACE]         = { "95", "#a0522d", "diamond" },
	[IPCT_MECH_FLOCK]          = { "94", "#00868b", "note" },
};
/* clang-format on */

const struct style *style__of(uint8_t mech)
{
	return mech < IPCT_MECH_CNT && styles[mech].ansi ? &styles[mech] : &styles[IPCT_MECH_NONE];
}
