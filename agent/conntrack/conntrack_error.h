// What went wrong in ctnetlink, in words.
#pragma once

#include "headgate/result.h"

namespace headgate::conntrack {

/// What an errno from conntrack means to somebody who asked for something.
[[nodiscard]] tl::unexpected<Error> conntrack_error(int number);

}  // namespace headgate::conntrack
