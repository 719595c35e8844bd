/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds conntrack's hash by an entry of it, for kernels whose symbols are not available: from the entry along its chain
 * to both ends. The last node's link is odd and has the bucket's number (list_nulls.h), the first node's back link
 * points to the bucket.
 *
 * Needs conntrack's kfuncs, which look up TCP and UDP in zone 0 (nf_conntrack_bpf.c, since 5.18). Run by
 * BPF_PROG_TEST_RUN on a packet that it does not read, in the caller's network namespace. */
#include "anchor_memory.h"
#include "kernel_types.h"

char _license[] SEC("license") = "GPL";

#define LONGEST_CHAIN 128

struct anchor_request request;
struct anchor_answer answer;

struct bpf_ct_opts {
    __s32 netns_id, error;
    __u8 l4proto, dir, reserved[2];
};

extern struct nf_conn* bpf_xdp_ct_lookup(struct xdp_md*, struct bpf_sock_tuple*, __u32, struct bpf_ct_opts*,
                                         __u32) __ksym;
extern void bpf_ct_release(struct nf_conn*) __ksym;

/* For the verifier, which lets pointers to kernel objects not be calculated with: what is read back is a number. */
static volatile __u64 anchor;

static __always_inline __u64 word_at(__u64 address) {
    __u64 word = 0;
    bpf_probe_read_kernel(&word, sizeof word, (void*)address);
    return word;
}

/* In a chain, what a node's second word points to points back to the node; the word after a bucket does not. */
static __always_inline __u64 table_around(__u64 node) {
    __u64 link = word_at(node), before;
    int i;
    for (i = 0; i < LONGEST_CHAIN && !(link & 1); i++)
        link = word_at(link);
    if (!(link & 1)) return 0;
    for (i = 0; i < LONGEST_CHAIN; i++) {
        before = word_at(node + 8);
        if (word_at(before) != node) return node - 8 * (link >> 1);
        node = before;
    }
    return 0;
}

SEC("xdp")
int find_anchor(struct xdp_md* packet) {
    struct bpf_ct_opts options = {.netns_id = -1, .l4proto = request.protocol}; /* BPF_F_CURRENT_NETNS */
    struct bpf_sock_tuple tuple = {};
    struct nf_conn* entry;
    answer.table = 0;
    if (request.is_ipv6) {
        __builtin_memcpy(tuple.ipv6.saddr, request.source, 16);
        __builtin_memcpy(tuple.ipv6.daddr, request.destination, 16);
        tuple.ipv6.sport = request.source_port;
        tuple.ipv6.dport = request.destination_port;
        entry = bpf_xdp_ct_lookup(packet, &tuple, sizeof tuple.ipv6, &options, sizeof options);
    } else {
        __builtin_memcpy(&tuple.ipv4.saddr, request.source, 4);
        __builtin_memcpy(&tuple.ipv4.daddr, request.destination, 4);
        tuple.ipv4.sport = request.source_port;
        tuple.ipv4.dport = request.destination_port;
        entry = bpf_xdp_ct_lookup(packet, &tuple, sizeof tuple.ipv4, &options, sizeof options);
    }
    if (!entry) return XDP_ABORTED;
    anchor = (__u64)entry;
    answer.table = table_around(anchor + bpf_core_field_offset(struct nf_conn, tuplehash));
    bpf_ct_release(entry);
    return XDP_PASS;
}
