// Who may ask the agent over TCP: the file of access keys, bearer tokens and client certificates.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "config/setting.h"
#include "http/access/digest.h"
#include "http/access/permissions.h"

namespace headgate::http::access {

/// Signs requests (AWS Signature Version 4).
struct AccessKey {
    std::string id;
    std::string secret;
    Permissions permissions;
};

/// Is shown as it is (RFC 6750), and kept as its hash alone.
struct BearerToken {
    std::string name;
    Digest sha256{};
    Permissions permissions;
};

/// That a listener's `client_ca` has signed.
struct ClientCertificate {
    std::string name;  ///< the common name of its subject
    Permissions permissions;
};

/// No two of a kind have one name.
struct Credentials {
    std::vector<AccessKey> access_keys;
    std::vector<BearerToken> tokens;
    std::vector<ClientCertificate> certificates;

    [[nodiscard]] bool empty() const noexcept { return access_keys.empty() && tokens.empty() && certificates.empty(); }
};

/// The settings of such a file, bound to these credentials, which must outlive them.
[[nodiscard]] config::SettingMap settings_of(Credentials& credentials);

/// Refuses a file that anybody but its owner may use, or whose owner is neither root nor whom this process runs as. An
/// error is Invalid and has a line for each thing that is wrong, without a word of what stands in the file:
/// `/etc/headgate/credentials.yaml:4: access_keys: role: must be `viewer` or `operator``.
[[nodiscard]] Result<Credentials> load_credentials(const std::filesystem::path& file);

/// One text alone; `name` is what errors call it.
[[nodiscard]] Result<Credentials> parse_credentials(std::string_view text, std::string_view name);

}  // namespace headgate::http::access
