/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the anchor's program and this process share. For C and C++. */
#pragma once

#include <linux/types.h>

/* Names as in the kernel. NOLINTBEGIN(readability-identifier-naming) */

/* The entry with this tuple, of TCP or UDP and in zone 0; addresses and ports in network order. */
struct anchor_request {
    __u8 source[16], destination[16];
    __u16 source_port, destination_port;
    __u8 is_ipv6, protocol;
};

/* An address of the kernel's. */
struct anchor_answer {
    __u64 table; /* of the first bucket; 0: the entry was not found */
};

/* NOLINTEND(readability-identifier-naming) */
