/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of programs.c, in a build without clang or bpftool. */
#include <errno.h>

#include "conntrack/bpf/programs.h"

int load_walk_programs(struct walk_programs* programs) {
    (void)programs;
    return -ENOSYS;
}

int load_anchor_program(struct anchor_program* program) {
    (void)program;
    return -ENOSYS;
}

int load_expire_program(struct expire_program* program) {
    (void)program;
    return -ENOSYS;
}
