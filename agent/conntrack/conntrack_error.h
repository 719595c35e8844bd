// SPDX-License-Identifier: GPL-2.0-or-later
// Error messages for ctnetlink.
#pragma once

#include "headgate/result.h"

namespace headgate::conntrack {

/// The error for an errno from conntrack; EPERM names the missing privilege.
[[nodiscard]] tl::unexpected<Error> conntrack_error(int number);

}  // namespace headgate::conntrack
