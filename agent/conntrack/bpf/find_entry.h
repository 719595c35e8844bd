/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Look-ups by conntrack's kfuncs (nf_conntrack_bpf.c, since 5.18). For programs that BPF_PROG_TEST_RUN runs, on a
 * packet that they do not read, in the caller's network namespace. Not XDP's programs: to run one of those repeatedly,
 * the kernel patches its own code and waits for all CPUs (net/core/filter.c, bpf_prog_change_xdp). */
#pragma once

#include "entry_key.h"
#include "kernel_types.h"

/* Before 6.11 as far as `dir`, with two reserved octets. */
struct bpf_ct_opts {
    __s32 netns_id, error;
    __u8 l4proto, dir;
    __u16 ct_zone_id;
    __u8 ct_zone_dir, reserved[3];
};
#define OPTIONS_WITHOUT_ZONE 12

extern struct nf_conn* bpf_skb_ct_lookup(struct __sk_buff*, struct bpf_sock_tuple*, __u32, struct bpf_ct_opts*,
                                         __u32) __ksym;
extern void bpf_ct_release(struct nf_conn*) __ksym;

/* With a reference to it. If null, `error` says why: ENOENT if there is none. The kernel removes an entry that it meets
 * and that has expired. */
static __always_inline struct nf_conn* find_entry(struct __sk_buff* packet, const struct entry_key* key, int* error) {
    struct bpf_ct_opts options = {.netns_id = -1, .l4proto = key->protocol}; /* BPF_F_CURRENT_NETNS */
    struct bpf_sock_tuple tuple = {};
    __u32 size = sizeof tuple.ipv4, options_size = OPTIONS_WITHOUT_ZONE;
    struct nf_conn* entry;
    if (key->is_ipv6) {
        __builtin_memcpy(tuple.ipv6.saddr, key->source, 16);
        __builtin_memcpy(tuple.ipv6.daddr, key->destination, 16);
        tuple.ipv6.sport = key->source_port;
        tuple.ipv6.dport = key->destination_port;
        size = sizeof tuple.ipv6;
    } else {
        __builtin_memcpy(&tuple.ipv4.saddr, key->source, 4);
        __builtin_memcpy(&tuple.ipv4.daddr, key->destination, 4);
        tuple.ipv4.sport = key->source_port;
        tuple.ipv4.dport = key->destination_port;
    }
    if (key->zone) {
        options.ct_zone_id = key->zone;
        options_size = sizeof options;
    }
    entry = bpf_skb_ct_lookup(packet, &tuple, size, &options, options_size);
    *error = -options.error;
    return entry;
}
