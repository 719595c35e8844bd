// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/result.h"

#include <system_error>

namespace headgate {

tl::unexpected<Error> system_error(int number, std::string_view what) {
    return tl::unexpected(
        Error{ErrorKind::Failed, fmt::format("{}: {}", what, std::generic_category().message(number)), number});
}

}  // namespace headgate
