/* SPDX-License-Identifier: GPL-2.0 */
/* Names that only this machine knows. Remembered; static. */
#ifndef CMD_TOP_NAMES_H
#define CMD_TOP_NAMES_H

#include <stdint.h>

const char *top_names__user(uint32_t uid); /* its number, when it has no name */
uint32_t top_names__host_pidns(void); /* of this program; 0: not known */
void top_names__forget(void);

#endif
