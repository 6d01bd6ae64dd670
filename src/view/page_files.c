/* SPDX-License-Identifier: GPL-2.0 */
#include "view/page.h"

/* The assembler reads the files: any bytes, on any machine. Paths are below the directory that make runs in. */
#define EMBED(name, path)                               \
	__asm__(".pushsection .rodata\n"                \
		".global ipctrace_page_" #name "\n"     \
		"ipctrace_page_" #name ":\n"            \
		".incbin \"src/view/page/" path "\"\n"  \
		".global ipctrace_page_" #name "_end\n" \
		"ipctrace_page_" #name "_end:\n"        \
		".byte 0\n"                             \
		".popsection\n");                       \
	extern const char ipctrace_page_##name[], ipctrace_page_##name##_end[]

EMBED(body, "page.html");
EMBED(style, "page.css");
EMBED(script, "page.js");
EMBED(library, "vendor/cytoscape-3.34.4.min.js");

#define PIECE(name)                                                                               \
	{                                                                                         \
		ipctrace_page_##name, (size_t)(ipctrace_page_##name##_end - ipctrace_page_##name) \
	}

struct page_piece page_file(enum page_file which)
{
	switch (which) {
	case PAGE_BODY:
		return (struct page_piece)PIECE(body);
	case PAGE_STYLE:
		return (struct page_piece)PIECE(style);
	case PAGE_SCRIPT:
		return (struct page_piece)PIECE(script);
	case PAGE_LIBRARY:
		break;
	}
	return (struct page_piece)PIECE(library);
}
