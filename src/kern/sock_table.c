/* SPDX-License-Identifier: GPL-2.0 */
#include "kern/sock_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/vec.h"
#include "ipctrace/mech.h"

#define REPLY_BYTES 32768
#define STATES_ALL UINT32_MAX

/* Sends a dump request and calls fn for each answer. */
static void dump(const void *request, size_t bytes, void (*fn)(void *ctx, const struct nlmsghdr *h),
		 void *ctx)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct nlmsghdr *reply = xalloc(REPLY_BYTES), *h;
	bool done = fd < 0 || sendto(fd, request, bytes, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0;
	ssize_t len;

	while (!done && (len = recv(fd, reply, REPLY_BYTES, 0)) > 0) {
		for (h = reply; NLMSG_OK(h, len) && !done; h = NLMSG_NEXT(h, len)) {
			done = h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR;
			if (!done)
				fn(ctx, h);
		}
	}
	if (fd >= 0)
		close(fd);
	free(reply);
}

static struct sock_entry *add(struct sock_table *t, uint64_t inode)
{
	struct sock_entry *e = xalloc(sizeof(*e));

	free(map__set(&t->by_inode, inode, 0, e));
	return e;
}

static const char *intern(struct sock_table *t, const char *name, size_t len)
{
	return strtab__intern(&t->names, name, len);
}

/* ---- UNIX ---- */

static uint8_t unix_mech(uint8_t type)
{
	return type == SOCK_STREAM  ? IPCT_MECH_UNIX_STREAM
	       : type == SOCK_DGRAM ? IPCT_MECH_UNIX_DGRAM
				    : IPCT_MECH_UNIX_SEQPACKET;
}

static const char *unix_name(struct sock_table *t, const char *bytes, size_t len)
{
	char name[160];
	size_t at;

	if (!len || len > 108)
		return NULL;
	at = (size_t)snprintf(name, sizeof(name), bytes[0] ? "unix:" : "unix:@");
	if (!bytes[0]) {
		bytes++;
		len--;
	} else {
		len = strnlen(bytes, len);
	}
	memcpy(name + at, bytes, len);
	return intern(t, name, at + len);
}

static void add_icons(struct sock_table *t, uint32_t listener, const uint32_t *clients, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		vec__push(&t->icons, ((struct sock_icon){ clients[i], listener }));
}

static void on_unix(void *ctx, const struct nlmsghdr *h)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	const struct rtattr *a = (const struct rtattr *)(m + 1);
	int len = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));
	struct sock_entry *e;

	if (!m->udiag_ino)
		return; /* nobody's yet: its listener tells of it */
	e = add(ctx, m->udiag_ino);
	e->mech = unix_mech(m->udiag_type);
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if (a->rta_type == UNIX_DIAG_PEER && RTA_PAYLOAD(a) == sizeof(uint32_t))
			e->peer = *(const uint32_t *)RTA_DATA(a);
		else if (a->rta_type == UNIX_DIAG_ICONS)
			add_icons(ctx, m->udiag_ino, RTA_DATA(a), RTA_PAYLOAD(a) / sizeof(uint32_t));
		else if (a->rta_type == UNIX_DIAG_NAME)
			e->name = unix_name(ctx, RTA_DATA(a), RTA_PAYLOAD(a));
	}
}

/* A client has the name of what it is connected to; a pair without any is known by both inode numbers. */
static void name_unix(struct sock_table *t, uint64_t inode, struct sock_entry *e)
{
	const struct sock_entry *peer = e->peer ? map__get(&t->by_inode, e->peer, 0) : NULL;
	char name[64];
	int len;

	if (!e->name && peer && peer->name && e->mech != IPCT_MECH_UNIX_DGRAM && !strchr(peer->name, '['))
		e->name = peer->name;
	if (e->name)
		return;
	if (e->peer)
		len = snprintf(name, sizeof(name), "unix:[%llu<->%llu]",
			       (unsigned long long)(inode < e->peer ? inode : e->peer),
			       (unsigned long long)(inode < e->peer ? e->peer : inode));
	else
		len = snprintf(name, sizeof(name), "unix:[%llu]", (unsigned long long)inode);
	e->name = intern(t, name, (size_t)len);
}

/* Before names are given: it has its listener's, as it will have when it is accepted. */
static void join_icons(struct sock_table *t)
{
	for (size_t i = 0; i < t->icons.cnt; i++) {
		struct sock_entry *e = map__get(&t->by_inode, t->icons.v[i].client, 0);

		if (!e || e->peer)
			continue; /* it has ended, or was accepted meanwhile */
		e->peer = t->icons.v[i].listener;
		e->waiting = true;
	}
}

static void fill_unix(struct sock_table *t)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req r;
	} request = {
		.h = { .nlmsg_len = sizeof(request),
		       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.r = { .sdiag_family = AF_UNIX,
		       .udiag_states = STATES_ALL,
		       .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS },
	};

	dump(&request, sizeof(request), on_unix, t);
	join_icons(t);
	map__for_each(&t->by_inode, slot)
		name_unix(t, slot->lo, slot->val);
}

/* ---- TCP and UDP: both ends of a connection on this host find each other by their addresses ---- */

struct tuple {
	uint64_t inode;
	struct inet_diag_sockid id;
	uint8_t family, mech;
};

struct tuples {
	VEC(struct tuple) all;
	uint8_t mech;
};

static void on_inet(void *ctx, const struct nlmsghdr *h)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	struct tuples *tuples = ctx;

	if (m->idiag_inode)
		vec__push(&tuples->all,
			  ((struct tuple){ m->idiag_inode, m->id, m->idiag_family, tuples->mech }));
}

static void write_end(char *buf, size_t size, int family, const void *addr, uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, addr, text, sizeof(text));
	snprintf(buf, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, ntohs(port));
}

/* The order of mech/inet.c: the smaller address first, then the smaller port. */
static void name_inet(struct sock_table *t, struct sock_entry *e, const struct tuple *u)
{
	const struct inet_diag_sockid *id = &u->id;
	size_t bytes = u->family == AF_INET6 ? 16 : 4;
	int order = memcmp(id->idiag_src, id->idiag_dst, bytes);
	bool swap = order ? order > 0 : ntohs(id->idiag_sport) > ntohs(id->idiag_dport);
	char l[INET6_ADDRSTRLEN + 10], r[INET6_ADDRSTRLEN + 10], name[160];
	const char *prefix = u->mech == IPCT_MECH_TCP ? "tcp" : "udp";
	int len;

	write_end(l, sizeof(l), u->family, id->idiag_src, id->idiag_sport);
	write_end(r, sizeof(r), u->family, id->idiag_dst, id->idiag_dport);
	if (id->idiag_dport)
		len = snprintf(name, sizeof(name), "%s:%s<->%s", prefix, swap ? r : l, swap ? l : r);
	else
		len = snprintf(name, sizeof(name), "%s:%s", prefix, l);
	e->name = intern(t, name, (size_t)len);
}

static uint64_t end_key(const void *addr, uint16_t port, uint8_t family, uint8_t mech)
{
	uint64_t w[2] = { 0 };

	memcpy(w, addr, family == AF_INET6 ? 16 : 4);
	return (w[0] ^ w[1] * 0x9e3779b97f4a7c15ull) ^ (uint64_t)port << 40 ^ (uint64_t)family << 56 ^
	       (uint64_t)mech << 60;
}

static void add_tuples(struct sock_table *t, const struct tuples *tuples)
{
	struct map by_ends = { 0 };

	for (size_t i = 0; i < tuples->all.cnt; i++) {
		const struct tuple *u = &tuples->all.v[i];

		map__set(&by_ends, end_key(u->id.idiag_src, u->id.idiag_sport, u->family, u->mech),
			 end_key(u->id.idiag_dst, u->id.idiag_dport, u->family, u->mech), (void *)u);
	}
	for (size_t i = 0; i < tuples->all.cnt; i++) {
		const struct tuple *u = &tuples->all.v[i], *peer;
		struct sock_entry *e = add(t, u->inode);

		e->mech = u->mech;
		name_inet(t, e, u);
		peer = map__get(&by_ends, end_key(u->id.idiag_dst, u->id.idiag_dport, u->family, u->mech),
				end_key(u->id.idiag_src, u->id.idiag_sport, u->family, u->mech));
		e->peer = peer && u->id.idiag_dport ? peer->inode : 0;
	}
	map__free(&by_ends);
}

static void fill_inet(struct sock_table *t, uint8_t protocol, uint8_t mech)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct tuples tuples = { .mech = mech };

	for (size_t i = 0; i < 2; i++) {
		struct {
			struct nlmsghdr h;
			struct inet_diag_req_v2 r;
		} request = {
			.h = { .nlmsg_len = sizeof(request),
			       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
			.r = { .sdiag_family = families[i],
			       .sdiag_protocol = protocol,
			       .idiag_states = STATES_ALL },
		};

		dump(&request, sizeof(request), on_inet, &tuples);
	}
	add_tuples(t, &tuples);
	vec__free(&tuples.all);
}

void sock_table__fill(struct sock_table *t)
{
	fill_unix(t);
	fill_inet(t, IPPROTO_TCP, IPCT_MECH_TCP);
	fill_inet(t, IPPROTO_UDP, IPCT_MECH_UDP);
}

const struct sock_entry *sock_table__get(const struct sock_table *t, uint64_t inode)
{
	return map__get(&t->by_inode, inode, 0);
}

void sock_table__free(struct sock_table *t)
{
	map__for_each(&t->by_inode, slot)
		free(slot->val);
	map__free(&t->by_inode);
	vec__free(&t->icons);
	strtab__free(&t->names);
}
