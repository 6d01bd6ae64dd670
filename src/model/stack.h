/* SPDX-License-Identifier: GPL-2.0 */
/* Call stacks: what code made an operation. */
#ifndef MODEL_STACK_H
#define MODEL_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STACK_BUILD_ID_MAX 20

/* Strings that are not known are empty. */
struct stack_frame {
	const char *function, *binary, *source;
	uint64_t offset; /* in the binary; where that is not known: the address */
	uint32_t line; /* of the source; 0: not known */
	uint8_t build_id_len;
	uint8_t build_id[STACK_BUILD_ID_MAX];
};

struct stack {
	size_t cnt;
	bool cut; /* it was deeper, or could not be followed further */
	const struct stack_frame *frames[]; /* innermost first; NULL: not known */
};

struct stack_table;

struct stack_table *stack_table__new(void);
/* A frame by its number (copied); lens: bytes of function, binary and source. */
void stack_table__frame(struct stack_table *t, uint32_t number, const struct stack_frame *f,
			const uint16_t lens[3]);

enum stack_place { STACK_OF_CALL, STACK_OF_SLEEP, STACK_OF_SIGNAL, STACK_OF_SIGNAL_KERNEL, STACK_PLACE_CNT };

struct stack_seen {
	uint32_t tid;
	enum stack_place place;
	uint64_t enter_ns; /* of the call */
	uint64_t id;
	bool cut;
	const uint32_t *numbers; /* NULL: as the last time with this id */
	size_t cnt;
};
void stack_table__seen(struct stack_table *t, const struct stack_seen *seen);
/* NULL: not known. What it gives lives as long as the table; equal stacks are one. */
const struct stack *stack_table__of(const struct stack_table *t, uint32_t tid, enum stack_place place,
				    uint64_t enter_ns);
/* The same of the call that the thread was in at at_ns, when nobody knows when that began. */
const struct stack *stack_table__at(const struct stack_table *t, uint32_t tid, enum stack_place place,
				    uint64_t at_ns);
void stack_table__free(struct stack_table *t);

#endif
