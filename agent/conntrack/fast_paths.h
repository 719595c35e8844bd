// SPDX-License-Identifier: GPL-2.0-or-later
// What flow tables do by programs in the kernel. All tables of a process share it.
#pragma once

#include <memory>

namespace headgate::conntrack {

class HashWalk;
class FlowExpiry;

struct FastPaths {
    std::shared_ptr<HashWalk> walk{};      ///< null: no scan walks the hash
    std::shared_ptr<FlowExpiry> expiry{};  ///< null: every flow that is to be ended is deleted
};

}  // namespace headgate::conntrack
