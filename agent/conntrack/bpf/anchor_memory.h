/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the anchor's program and this process share. For C and C++. */
#pragma once

#include "entry_key.h"

/* Names as in the kernel. NOLINTBEGIN(readability-identifier-naming) */

/* An address of the kernel's. */
struct anchor_answer {
    __u64 table; /* of the first bucket; 0: the entry was not found */
};

/* NOLINTEND(readability-identifier-naming) */
