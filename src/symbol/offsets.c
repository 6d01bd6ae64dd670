/* SPDX-License-Identifier: GPL-2.0 */
#include "symbol/symbol.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

struct finding {
	Elf *elf;
	const char *name;
	uint64_t *offsets;
	size_t cap, cnt;
};

/* Where in the file the code at this address lies; 0: nowhere. */
static uint64_t file_offset(Elf *elf, uint64_t addr)
{
	GElf_Phdr ph;
	size_t cnt;

	if (elf_getphdrnum(elf, &cnt))
		return 0;
	for (size_t i = 0; i < cnt; i++)
		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD && (ph.p_flags & PF_X) &&
		    addr >= ph.p_vaddr && addr < ph.p_vaddr + ph.p_filesz)
			return addr - ph.p_vaddr + ph.p_offset;
	return 0;
}

static void add(struct finding *f, uint64_t offset)
{
	for (size_t i = 0; i < f->cnt && i < f->cap; i++)
		if (f->offsets[i] == offset)
			return;
	if (f->cnt < f->cap)
		f->offsets[f->cnt] = offset;
	f->cnt++;
}

static void look_in(struct finding *f, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t cnt = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
	GElf_Sym sym;

	for (size_t i = 0; data && i < cnt; i++) {
		const char *name;
		uint64_t offset;

		if (!gelf_getsym(data, (int)i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    !sym.st_value)
			continue;
		name = elf_strptr(f->elf, header->sh_link, sym.st_name);
		if (!name || strcmp(name, f->name) != 0)
			continue;
		offset = file_offset(f->elf, sym.st_value);
		if (offset)
			add(f, offset);
	}
}

int symbol__offsets(const char *path, const char *name, uint64_t *offsets, size_t cap)
{
	struct finding f = { .name = name, .offsets = offsets, .cap = cap };
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	if (fd < 0)
		return -errno;
	elf_version(EV_CURRENT);
	f.elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!f.elf || elf_kind(f.elf) != ELF_K_ELF) {
		ret = -ENOEXEC;
		goto out;
	}
	if (gelf_getclass(f.elf) != ELFCLASS64)
		goto out;
	while ((section = elf_nextscn(f.elf, section)))
		if (gelf_getshdr(section, &header) &&
		    (header.sh_type == SHT_DYNSYM || header.sh_type == SHT_SYMTAB))
			look_in(&f, section, &header);
	ret = (int)(f.cnt < cap ? f.cnt : cap);
out:
	elf_end(f.elf);
	close(fd);
	return ret;
}
