/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory that the walk's program shares with this process. For C and C++. Addresses are the kernel's: they leave
 * this process in no form. */
#pragma once

#include <linux/types.h>

/* Names as in the kernel. NOLINTBEGIN(readability-identifier-naming) */

/* Powers of two, so that the kernel's verifier sees that an index is within bounds. */
enum {
    WALK_MOST_TESTS = 128, /* 20 filters, each for two directions of two tuples, are 80 */
    WALK_MOST_BUCKETS = 256,
    WALK_MOST_ROWS = 8192,
    WALK_MOST_SEEDS = 64,
};

/* A tuple of the kernel (nf_conntrack_tuple.h): source address, source port or ICMP's id, family; destination address,
 * destination port or ICMP's type and code, protocol, direction. */
struct walk_tuple {
    __u64 words[5];
};

/* What a tuple must have: the bits of `value` where `mask` has ones, and ports within ranges, both ends included. */
struct walk_tuple_test {
    struct walk_tuple value, mask;
    __u16 first_source_port, last_source_port;
    __u16 first_destination_port, last_destination_port;
};

struct walk_test {
    struct walk_tuple_test original, reply;
    __u64 protocols[4]; /* a bit for each protocol in scope */
};

/* An entry is a candidate if it passes one of the tests, and everything else. */
struct walk_filter {
    __u64 first_young, last_young; /* start times that are too late, in nanoseconds since 1970; both ends included */
    __u32 mark, mark_mask;
    __u32 has_zone, zone;
    __u32 tcp_states, sctp_states; /* a bit for each state in scope */
    __u32 replies;                 /* of other protocols: 1: those without a reply are in scope, 2: those with one */
    __u32 tests;
    struct walk_test test[WALK_MOST_TESTS];
};

enum walk_row_parts {
    WALK_HAS_MARK = 1,
    WALK_HAS_DCCP_STATE = 2,
    WALK_HAS_COUNTERS = 4,
    WALK_LACKS_EXTENSIONS = 8, /* the entry has a helper or labels, which the row has not */
};

struct walk_row {
    struct walk_tuple original, reply;
    __u64 entry, master; /* addresses: conntrack calculates the id from them */
    __u64 started;       /* 0: unknown */
    __u64 counters[4];   /* packets and bytes of the original direction, then of the reply direction */
    __u32 status, mark;
    __u32 ticks_left;    /* until the entry times out */
    __be32 sctp_tags[2]; /* of the original and the reply direction */
    __u16 zone;
    __u8 zone_directions; /* 1: the original direction, 2: the reply direction */
    __u8 tcp_state, sctp_state, dccp_state;
    __u8 parts; /* enum walk_row_parts */
    __u8 is_candidate;
};

struct walk_rows {
    struct walk_row row[WALK_MOST_ROWS];
};

/* The key of the hash function by which conntrack calculates ids. */
struct walk_seed {
    __u64 words[2];
};

/* What the addresses point to that conntrack's code for ids has: the seed is among it. */
struct walk_seeds {
    __u32 count;
    struct walk_seed seed[WALK_MOST_SEEDS];
};

/* Where the hash is. */
struct walk_place {
    __u64 table;
    __u64 generation_at; /* the counter of its resizes (nf_conntrack_generation); 0: unknown */
    __u32 generation;    /* odd: a resize is in progress */
    __u32 buckets;
};

struct walk_request {
    struct walk_place place;
    __u64 network_namespace;
    __u32 next;    /* bucket to begin with */
    __u32 block;   /* buckets to walk side by side */
    __u32 budget;  /* entries after which a call ends */
    __u32 samples; /* as many entries of the namespace are reported in any case */
    struct walk_filter filter;
};

enum walk_status {
    WALK_PROGRESS,
    WALK_REPLACED, /* the table was resized: it is elsewhere */
    WALK_UNSTEADY, /* entries moved between chains each time that a block was walked */
    WALK_TOO_MANY, /* entries in one block */
};

struct walk_answer {
    enum walk_status status;
    __u32 next; /* bucket for the next call */
    __u32 rows;
    __u32 others;  /* rows that are no candidates */
    __u64 entries; /* walked; each flow has two, one for each tuple */
};

/* NOLINTEND(readability-identifier-naming) */
