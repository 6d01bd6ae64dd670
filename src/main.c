/* SPDX-License-Identifier: GPL-2.0 */
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/help.h"

static int unknown_command(const char *word)
{
	const char *nearest = help__nearest(word);

	if (nearest)
		log__error("no command '%s': did you mean 'ipctrace %s'?", word, nearest);
	else
		log__error("no command '%s': see ipctrace --help; to trace a program: ipctrace -- %s", word,
			   word);
	return EXIT_USAGE;
}

/*
 * Started with a standard descriptor closed, the next file that is opened would become it, and output would go there.
 * Opened the wrong way round, so that using it fails as it would have.
 */
static void occupy_standard_fds(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			_exit(EXIT_FAILED);
}

#define OWN_PAGES_BYTES (32 * 1024)

/*
 * Blocks of this size and more get pages of their own, and these go back to the system with them. Otherwise glibc, when it has seen
 * one large block be freed (the kernel's types, while programs are loaded), keeps all blocks of up to that size.
 */
static void give_memory_back(void)
{
	mallopt(M_MMAP_THRESHOLD, OWN_PAGES_BYTES);
	mallopt(M_TRIM_THRESHOLD, 4 * OWN_PAGES_BYTES);
}

int main(int argc, char **argv)
{
	const struct command *c = &commands[0];

	occupy_standard_fds();
	give_memory_back();
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN); /* a reader that went away is -EPIPE in base/out */
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return help__print(NULL);
	if (argc < 2 || argv[1][0] == '-')
		return c->run(argc, argv);
	c = command__by_name(argv[1]);
	return c ? c->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}
