/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conntrack/bpf/programs.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Generated from walk.bpf.c, twice, and from the others. */
#include "conntrack/bpf/anchor.lskel.h"
#include "conntrack/bpf/expire.lskel.h"
#include "conntrack/bpf/walk.lskel.h"
#include "conntrack/bpf/walk_casts.lskel.h"

/* Functions for one of the skeletons of the walk, which differ in their types only. */
#define WALK_SKELETON(name)                                                                                          \
    static void unload_##name(struct walk_programs* programs) {                                                      \
        munmap((void*)programs->rows, sizeof *programs->rows);                                                       \
        name##__destroy(programs->skeleton);                                                                         \
    }                                                                                                                \
                                                                                                                     \
    static int load_##name(struct walk_programs* programs) {                                                         \
        struct name* skeleton = name##__open();                                                                      \
        if (!skeleton) return -ENOMEM;                                                                               \
        int fault = name##__load(skeleton);                                                                          \
        void* rows = MAP_FAILED;                                                                                     \
        if (!fault) rows = mmap(NULL, sizeof *programs->rows, PROT_READ, MAP_SHARED, skeleton->maps.rows.map_fd, 0); \
        if (!fault && rows == MAP_FAILED) fault = -errno;                                                            \
        if (fault) {                                                                                                 \
            name##__destroy(skeleton);                                                                               \
            return fault;                                                                                            \
        }                                                                                                            \
        *programs = (struct walk_programs){                                                                          \
            .find_network_namespace = skeleton->progs.find_network_namespace.prog_fd,                                \
            .find_table = skeleton->progs.find_table.prog_fd,                                                        \
            .find_seeds = skeleton->progs.find_seeds.prog_fd,                                                        \
            .walk = skeleton->progs.walk.prog_fd,                                                                    \
            .network_namespace = &skeleton->bss->network_namespace,                                                  \
            .place = &skeleton->bss->place,                                                                          \
            .seeds = &skeleton->bss->seeds,                                                                          \
            .request = &skeleton->bss->request,                                                                      \
            .answer = &skeleton->bss->answer,                                                                        \
            .rows = rows,                                                                                            \
            .skeleton = skeleton,                                                                                    \
            .unload = unload_##name,                                                                                 \
        };                                                                                                           \
        return 0;                                                                                                    \
    }

WALK_SKELETON(walk)
WALK_SKELETON(walk_casts)

int load_walk_programs(struct walk_programs* programs) {
    int fault = load_walk_casts(programs);
    /* Not again without privileges: the reason is the same. */
    return fault && fault != -EPERM ? load_walk(programs) : fault;
}

static void unload_anchor(struct anchor_program* program) {
    anchor__destroy(program->skeleton);
}

int load_anchor_program(struct anchor_program* program) {
    struct anchor* skeleton = anchor__open();
    if (!skeleton) return -ENOMEM;
    const int fault = anchor__load(skeleton);
    if (fault) {
        anchor__destroy(skeleton);
        return fault;
    }
    *program = (struct anchor_program){
        .find_anchor = skeleton->progs.find_anchor.prog_fd,
        .request = &skeleton->bss->request,
        .answer = &skeleton->bss->answer,
        .skeleton = skeleton,
        .unload = unload_anchor,
    };
    return 0;
}

static void unload_expire(struct expire_program* program) {
    expire__destroy(program->skeleton);
}

int load_expire_program(struct expire_program* program) {
    struct expire* skeleton = expire__open();
    if (!skeleton) return -ENOMEM;
    const int fault = expire__load(skeleton);
    if (fault) {
        expire__destroy(skeleton);
        return fault;
    }
    *program = (struct expire_program){
        .expire = skeleton->progs.expire.prog_fd,
        .request = &skeleton->bss->request,
        .skeleton = skeleton,
        .unload = unload_expire,
    };
    return 0;
}
