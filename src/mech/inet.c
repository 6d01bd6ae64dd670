/* SPDX-License-Identifier: GPL-2.0 */
#include "mech/inet.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void write_end(char *buf, size_t size, int family, const uint8_t *addr, uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, addr, text, sizeof(text));
	snprintf(buf, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, ntohs(port));
}

void inet__write_name(char *buf, size_t size, const char *prefix, const struct ipct_inet_name *n)
{
	int family = n->family == AF_INET6 ? AF_INET6 : AF_INET;
	int order = memcmp(n->laddr, n->raddr, sizeof(n->laddr));
	char l[INET6_ADDRSTRLEN + 10], r[INET6_ADDRSTRLEN + 10], ns[16] = "";
	bool swap = order ? order > 0 : ntohs(n->lport) > ntohs(n->rport);

	write_end(l, sizeof(l), family, n->laddr, n->lport);
	write_end(r, sizeof(r), family, n->raddr, n->rport);
	if (n->netns)
		snprintf(ns, sizeof(ns), "@%u", n->netns);
	snprintf(buf, size, "%s:%s<->%s%s", prefix, swap ? r : l, swap ? l : r, ns);
}
