/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an entry passes a filter: as the program decides it, and its tests. For C and C++. */
#pragma once

#include "walk_memory.h"

static inline __u16 walk_source_port(const struct walk_tuple* tuple) {
    return __builtin_bswap16((__u16)tuple->words[2]);
}

static inline __u16 walk_destination_port(const struct walk_tuple* tuple) {
    return __builtin_bswap16((__u16)(tuple->words[4] >> 32));
}

static inline __u8 walk_protocol(const struct walk_tuple* tuple) {
    return (__u8)(tuple->words[4] >> 48);
}

static inline int walk_is_reply(const struct walk_tuple* tuple) {
    return tuple->words[4] >> 56 != 0;
}

static inline int fits(const struct walk_tuple_test* test, const struct walk_tuple* tuple) {
    const __u64 *has = tuple->words, *value = test->value.words, *mask = test->mask.words;
    if ((((has[0] ^ value[0]) & mask[0]) | ((has[1] ^ value[1]) & mask[1]) | ((has[2] ^ value[2]) & mask[2]) |
         ((has[3] ^ value[3]) & mask[3]) | ((has[4] ^ value[4]) & mask[4])) != 0)
        return 0;
    return test->first_source_port <= walk_source_port(tuple) && walk_source_port(tuple) <= test->last_source_port &&
           test->first_destination_port <= walk_destination_port(tuple) &&
           walk_destination_port(tuple) <= test->last_destination_port;
}

/* As far as the original tuple tells. */
static inline int passes_by_original(const struct walk_test* test, const struct walk_tuple* original) {
    const __u8 protocol = walk_protocol(original);
    return (test->protocols[protocol >> 6] >> (protocol & 63) & 1) != 0 && fits(&test->original, original);
}

static inline int passes_test(const struct walk_test* test, const struct walk_row* row) {
    return passes_by_original(test, &row->original) && fits(&test->reply, &row->reply);
}

/* include/uapi/linux/netfilter/nf_conntrack_common.h */
enum { WALK_SEEN_REPLY = 1 << 1, WALK_CONFIRMED = 1 << 3, WALK_DYING = 1 << 9, WALK_OFFLOAD = 1 << 14 };

static inline int has_state_in_scope(const struct walk_filter* filter, const struct walk_row* row) {
    if (row->status & WALK_OFFLOAD) return 1; /* conntrack does not report its state */
    switch (walk_protocol(&row->original)) {
        case 6: /* TCP */
            return filter->tcp_states >> (row->tcp_state & 31) & 1;
        case 132: /* SCTP */
            return filter->sctp_states >> (row->sctp_state & 31) & 1;
        case 33: /* DCCP, whose states the filter does not have */
            return 1;
        default:
            return filter->replies >> ((row->status & WALK_SEEN_REPLY) != 0) & 1;
    }
}

/* All that is beside the tests. */
static inline int meets_conditions(const struct walk_filter* filter, const struct walk_row* row) {
    if ((row->mark ^ filter->mark) & filter->mark_mask) return 0;
    if (filter->has_zone && row->zone != filter->zone) return 0;
    if (filter->first_young <= row->started && row->started <= filter->last_young) return 0;
    return has_state_in_scope(filter, row);
}
