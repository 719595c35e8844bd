// SPDX-License-Identifier: GPL-2.0-or-later
// Credentials of TCP clients: the file of access keys, bearer tokens and client certificates.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "base/digest.h"
#include "config/setting.h"
#include "http/access/identity.h"

namespace headgate::http::access {

/// For signed requests (AWS Signature Version 4).
struct AccessKey {
    std::string id;
    std::string secret;
    Permissions permissions;
};

/// Sent in the clear (RFC 6750); only its hash is stored.
struct BearerToken {
    std::string name;
    Digest sha256{};
    Permissions permissions;
};

/// Signed by a listener's `client_ca`.
struct ClientCertificate {
    std::string name;  ///< the subject's common name
    Permissions permissions;
};

/// Names are unique within each kind.
struct Credentials {
    std::vector<AccessKey> access_keys;
    std::vector<BearerToken> tokens;
    std::vector<ClientCertificate> certificates;

    [[nodiscard]] bool empty() const noexcept { return access_keys.empty() && tokens.empty() && certificates.empty(); }
};

/// The settings of the file, bound to `credentials`, which must outlive them.
[[nodiscard]] config::SettingMap settings_of(Credentials& credentials);

/// Refuses a file with any permission for group or others, or owned by neither root nor this process's user. The error
/// is Invalid, with one line for each fault, also of a file that is refused, and never quotes the file, which has
/// secrets:
/// `/etc/headgate/credentials.yaml:4: access_keys: role: must be `viewer` or `operator``.
[[nodiscard]] Result<Credentials> load_credentials(const std::filesystem::path& file);

/// Parses one text; `name` stands for the file in errors.
[[nodiscard]] Result<Credentials> parse_credentials(const std::string& text, std::string_view name);

}  // namespace headgate::http::access
