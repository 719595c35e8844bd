/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds conntrack's hash by an entry of it, for kernels whose symbols are not available: from the entry along its chain
 * to both ends. The last node's link is odd and has the bucket's number (list_nulls.h), the first node's back link
 * points to the bucket. */
#include "anchor_memory.h"
#include "find_entry.h"

char _license[] SEC("license") = "GPL";

#define LONGEST_CHAIN 128

struct entry_key request;
struct anchor_answer answer;

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

SEC("tc")
int find_anchor(struct __sk_buff* packet) {
    int error;
    struct nf_conn* entry = find_entry(packet, &request, &error);
    answer.table = 0;
    if (!entry) return 0;
    anchor = (__u64)entry;
    answer.table = table_around(anchor + bpf_core_field_offset(struct nf_conn, tuplehash));
    bpf_ct_release(entry);
    return 0;
}
