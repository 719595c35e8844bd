/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the program that expires flows shares with this process. For C and C++. */
#pragma once

#include "entry_key.h"

/* Names as in the kernel. NOLINTBEGIN(readability-identifier-naming) */

/* A power of two, so that the kernel's verifier sees that an index is within bounds. Softirqs are off for as many
 * flows. */
enum { EXPIRE_MOST_FLOWS = 64 };

enum expire_outcome {
    EXPIRE_PENDING,
    EXPIRE_ENDED,
    EXPIRE_GONE,    /* it ended by itself, or another flow has its tuple */
    EXPIRE_CHANGED, /* so that it may not be in scope any more */
    EXPIRE_REFUSED, /* conntrack does not let it expire, or does not take its zone */
};

struct expire_counter {
    __u64 packets, bytes;
};

struct expire_flow {
    struct entry_key key;
    __u64 started; /* in nanoseconds since 1970 */
    /* As it was found; when it has ended, as it was in the end. */
    __u32 status, mark;
    __u8 tcp_state;
    /* When it has ended. */
    __u8 has_counters;
    __u16 unused;
    __u32 outcome; /* enum expire_outcome */
    __u64 stopped;
    struct expire_counter counters[2]; /* of the original and the reply direction */
};

struct expire_request {
    __u32 flows;
    __u32 next; /* the program handles one flow at a time */
    struct expire_flow flow[EXPIRE_MOST_FLOWS];
};

/* NOLINTEND(readability-identifier-naming) */
