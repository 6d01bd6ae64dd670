/* SPDX-License-Identifier: GPL-2.0 */
/* Records about call stacks; part of event.h. */
#ifndef IPCT_EVENT_STACK_H
#define IPCT_EVENT_STACK_H

#define IPCT_STACK_FRAMES_MAX 64
#define IPCT_BUILD_ID_MAX 20

enum ipct_stack_what {
	IPCT_STACK_USER = 1, /* where the program made the call */
	IPCT_STACK_KERNEL = 2, /* where the call slept first, or where a signal was generated */
};

enum ipct_stack_flag {
	IPCT_STACK_CUT = 1 << 0, /* it was deeper, or could not be followed further */
	IPCT_STACK_NAMED = 1 << 1, /* behind it are numbers of ipct_frame (__u32), not places */
};

/*
 * The stack of thread hdr.tid in the call that it began at enter_ns; comes before the records of that call. enter_ns 0: of the
 * signal that it generates next.
 */
struct ipct_stack {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 id; /* equal ids are equal stacks */
	__u16 len; /* bytes behind the struct; 0: as in the record before with this id */
	__u8 what; /* enum ipct_stack_what */
	__u8 flags; /* enum ipct_stack_flag */
	__u32 pad0;
	/* behind it: frames, the innermost first */
};
_Static_assert(sizeof(struct ipct_stack) == 48, "on disk and in the ring");

/* Where in which file an instruction lies, as the kernel half tells it; the collector makes an ipct_frame of it. */
struct ipct_place {
	__u64 ip;
	__u64 offset; /* in the file */
	__u64 ino; /* 0: in no file */
	__u32 dev; /* kernel s_dev */
	__u32 is_code; /* it is mapped, and can be executed */
};
_Static_assert(sizeof(struct ipct_place) == 32, "in the ring");

/* A frame by its number, before the first stack that has it. What is not known is empty or 0. */
struct ipct_frame {
	struct ipct_hdr h;
	__u64 offset; /* in the file; where there is none: the address */
	__u32 number;
	__u32 line; /* in the source */
	__u16 function_len, binary_len, source_len; /* bytes behind the struct */
	__u8 build_id_len;
	__u8 pad0;
	__u8 build_id[IPCT_BUILD_ID_MAX];
	__u32 pad1;
	/* behind it: function, path of the binary, path of the source */
};
_Static_assert(sizeof(struct ipct_frame) == 72, "on disk");

#endif
