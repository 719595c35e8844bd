/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How programs read the kernel's memory. Nothing is mapped at some addresses: what is there reads as 0. */
#pragma once

#include "kernel_types.h"
#include "walk_memory.h"

/* An entry as a chain has it, twice: by its original tuple and by its reply tuple. */
struct node {
    __u64 next, pprev;
    struct walk_tuple tuple;
    __u64 address;
};

#ifdef WITH_CASTS
/* Plain loads, from 6.4 on: they take half the time, and read 0 where nothing is mapped. The type is of vmlinux, since
 * conntrack's own may be a module's, and begins with a number. */
extern void* bpf_rdonly_cast(const void* address, __u32 type) __ksym;

static __always_inline __u64 word_at(__u64 address) {
    struct timespec64* word = bpf_rdonly_cast((void*)address, bpf_core_type_id_kernel(struct timespec64));
    return word->tv_sec;
}

static __always_inline void read_tuple_at(__u64 address, struct walk_tuple* tuple) {
    tuple->words[0] = word_at(address);
    tuple->words[1] = word_at(address + 8);
    tuple->words[2] = word_at(address + 16);
    tuple->words[3] = word_at(address + 24);
    tuple->words[4] = word_at(address + 32);
}

static __always_inline void read_node_at(__u64 address, struct node* node) {
    node->next = word_at(address);
    read_tuple_at(address + offsetof(struct node, tuple), &node->tuple);
}
#else
static __always_inline __u64 word_at(__u64 address) {
    __u64 word = 0;
    bpf_probe_read_kernel(&word, sizeof word, (void*)address);
    return word;
}

static __always_inline void read_tuple_at(__u64 address, struct walk_tuple* tuple) {
    bpf_probe_read_kernel(tuple, sizeof *tuple, (void*)address);
}

static __always_inline void read_node_at(__u64 address, struct node* node) {
    bpf_probe_read_kernel(node, offsetof(struct node, address), (void*)address);
}
#endif

/* A member of struct nf_conn, or an element of one. */
#define MEMBER(entry, member) \
    ((typeof(((struct nf_conn*)0)->member))word_at((entry) + bpf_core_field_offset(struct nf_conn, member)))
#define HAS_MEMBER(member) bpf_core_field_exists(((struct nf_conn*)0)->member)

/* The address of an entry's extension, or 0. */
static __always_inline __u64 extension_at(__u64 extensions, __u32 id) {
    __u8 offset = word_at(extensions + bpf_core_field_offset(struct nf_ct_ext, offset) + id);
    return offset ? extensions + offset : 0;
}

#define EXTENSION(extensions, id)                                               \
    ((extensions) && bpf_core_enum_value_exists(enum nf_ct_ext_id, id)          \
         ? extension_at(extensions, bpf_core_enum_value(enum nf_ct_ext_id, id)) \
         : 0)

/* struct nf_conn_tstamp: two words. In nanoseconds since 1970; 0: unknown. */
static __always_inline __u64 start_time(__u64 extensions) {
    __u64 times = EXTENSION(extensions, NF_CT_EXT_TSTAMP);
    return times ? word_at(times) : 0;
}

static __always_inline __u64 stop_time(__u64 extensions) {
    __u64 times = EXTENSION(extensions, NF_CT_EXT_TSTAMP);
    return times ? word_at(times + sizeof(__u64)) : 0;
}
