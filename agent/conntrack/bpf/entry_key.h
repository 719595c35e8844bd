/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By what conntrack's kfuncs find an entry, of TCP or UDP. For C and C++. */
#pragma once

#include <linux/types.h>

/* Names as in the kernel. NOLINTBEGIN(readability-identifier-naming) */

/* Addresses and ports in network order. */
struct entry_key {
    __u8 source[16], destination[16];
    __u16 source_port, destination_port;
    __u16 zone; /* other than 0 from 6.11 on */
    __u8 is_ipv6, protocol;
};

/* NOLINTEND(readability-identifier-naming) */
