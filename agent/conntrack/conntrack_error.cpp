// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/conntrack_error.h"

#include <cerrno>

namespace headgate::conntrack {

tl::unexpected<Error> conntrack_error(int number) {
    if (number == EPERM) {
        return tl::unexpected(Error{
            ErrorKind::Unprivileged,
            "reading the conntrack table needs CAP_NET_ADMIN: use sudo, or start the agent and join group headgate",
            EPERM});
    }
    return system_error(number, "reading the conntrack table");
}

}  // namespace headgate::conntrack
