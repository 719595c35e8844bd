// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/signing_keys.h"

#include "base/text.h"
#include "http/access/signature.h"

namespace headgate::http::access {

Digest SigningKeys::find(const AccessKey& key, std::string_view date, std::string_view region) {
    auto name = compound_key({key.id, date, region});
    {
        const std::lock_guard lock{mutex_};
        if (const auto known = derived_.find(name); known != derived_.end()) return known->second;
    }
    const auto derived = derive_signing_key(key.secret, date, region);
    const std::lock_guard lock{mutex_};
    if (derived_.size() >= kMost) derived_.clear();
    derived_.insert_or_assign(std::move(name), derived);
    return derived;
}

}  // namespace headgate::http::access
