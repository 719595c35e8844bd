/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads the programs into the kernel. In C, because bpftool's skeletons are. A fault is a negative errno; -ENOSYS in a
 * build without the programs (HEADGATE_FAST_SCAN). */
#pragma once

#include "conntrack/bpf/anchor_memory.h"
#include "conntrack/bpf/expire_memory.h"
#include "conntrack/bpf/walk_memory.h"

/* Names as in the kernel. NOLINTBEGIN(readability-identifier-naming) */

#ifdef __cplusplus
extern "C" {
#endif

/* walk.bpf.c: descriptors of programs for BPF_PROG_TEST_RUN, and the memory that they share. */
struct walk_programs {
    int find_network_namespace, find_table, find_seeds, walk;
    const __u64* network_namespace;
    const struct walk_place* place;
    const struct walk_seeds* seeds;
    struct walk_request* request;
    const struct walk_answer* answer;
    const struct walk_rows* rows;
    void* skeleton;
    void (*unload)(struct walk_programs*);
};

/* anchor.bpf.c */
struct anchor_program {
    int find_anchor;
    struct entry_key* request; /* of an entry in zone 0 */
    const struct anchor_answer* answer;
    void* skeleton;
    void (*unload)(struct anchor_program*);
};

/* expire.bpf.c */
struct expire_program {
    int expire;
    struct expire_request* request;
    void* skeleton;
    void (*unload)(struct expire_program*);
};

/* `unload` is null where nothing was loaded. */
int load_walk_programs(struct walk_programs* programs);
int load_anchor_program(struct anchor_program* program);
int load_expire_program(struct expire_program* program);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(readability-identifier-naming) */
