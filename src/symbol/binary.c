/* SPDX-License-Identifier: GPL-2.0 */
#include "symbol/binary.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>

#include "base/log.h"

struct binary {
	Dwfl *dwfl;
	Dwfl_Module *module;
	GElf_Addr bias; /* of addresses in the module, to those in the file's headers */
	Elf *elf;
	uint64_t ino;
	const uint8_t *build_id;
	size_t build_id_bytes;
};

static char *debuginfo_path; /* NULL: elfutils' default, which looks below /usr/lib/debug by build-id, too */

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &debuginfo_path,
};

static bool load(struct binary *b, const char *path)
{
	struct stat st;
	const void *id;
	ssize_t len;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return false;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return false;
	}
	b->ino = st.st_ino;
	b->dwfl = dwfl_begin(&callbacks);
	if (b->dwfl)
		b->module = dwfl_report_offline(b->dwfl, path, path, fd); /* takes fd when it succeeds */
	if (!b->module)
		close(fd);
	if (!b->module || dwfl_report_end(b->dwfl, NULL, NULL))
		return false;
	b->elf = dwfl_module_getelf(b->module, &b->bias);
	if (!b->elf || gelf_getclass(b->elf) != ELFCLASS64)
		return false;
	len = dwelf_elf_gnu_build_id(b->elf, &id);
	if (len > 0) {
		b->build_id = id;
		b->build_id_bytes = (size_t)len;
	}
	return true;
}

struct binary *binary__open(const char *path)
{
	struct binary *b = xalloc(sizeof(*b));

	unsetenv("DEBUGINFOD_URLS"); /* a trace is no reason to ask the network */
	if (load(b, path))
		return b;
	binary__close(b);
	return NULL;
}

uint64_t binary__ino(const struct binary *b)
{
	return b->ino;
}

const uint8_t *binary__build_id(const struct binary *b, size_t *len)
{
	*len = b->build_id_bytes;
	return b->build_id;
}

/* Where code at this offset in the file lies in the module's addresses; 0: nowhere. */
static GElf_Addr address_of(const struct binary *b, uint64_t offset)
{
	GElf_Phdr ph;
	size_t cnt;

	if (elf_getphdrnum(b->elf, &cnt))
		return 0;
	for (size_t i = 0; i < cnt; i++)
		if (gelf_getphdr(b->elf, (int)i, &ph) && ph.p_type == PT_LOAD && offset >= ph.p_offset &&
		    offset - ph.p_offset < ph.p_filesz)
			return offset - ph.p_offset + ph.p_vaddr + b->bias;
	return 0;
}

bool binary__at(struct binary *b, uint64_t offset, struct binary_place *out)
{
	GElf_Addr addr = address_of(b, offset);
	Dwfl_Line *line;
	int number = 0;

	*out = (struct binary_place){ 0 };
	if (!addr)
		return false;
	out->function = dwfl_module_addrname(b->module, addr);
	line = dwfl_module_getsrc(b->module, addr);
	if (line)
		out->source = dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL);
	if (out->source && number > 0)
		out->line = (uint32_t)number;
	return out->function || out->source;
}

void binary__close(struct binary *b)
{
	if (!b)
		return;
	if (b->dwfl)
		dwfl_end(b->dwfl);
	free(b);
}
