// SPDX-License-Identifier: GPL-2.0-or-later
// Community ID version 1 (https://github.com/corelight/community-id-spec): a flow identifier that other tools compute
// too.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "headgate/flow.h"

namespace headgate::flowlog {

/// Not thread-safe: use one object per thread.
class CommunityId {
  public:
    CommunityId();
    ~CommunityId();
    CommunityId(const CommunityId&) = delete;
    CommunityId& operator=(const CommunityId&) = delete;

    /// `1:LQU9qZlK+B5F3KDmev6m5PMibrg=`; valid until the next call. The seed is 0. Empty if OpenSSL has no SHA-1.
    [[nodiscard]] std::string_view of(const FlowTuple& tuple);

  private:
    struct Hash;
    std::unique_ptr<Hash> hash_;
    std::array<char, 31> text_{};  ///< with a terminating zero
};

}  // namespace headgate::flowlog
