// SPDX-License-Identifier: GPL-2.0-or-later
// The TCP listeners of a configuration, and the transition to those of the next one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headgate/result.h"

#include "config/configuration.h"
#include "http/server/listener.h"

namespace headgate::http {

/// The listener's authentication; nothing where it stays closed because no credentials are configured.
[[nodiscard]] std::optional<Admission> admission_of(const config::Http& http, const config::Listener& listener);

/// Not thread-safe.
class TcpListeners {
  public:
    /// Opens the configured listeners, reusing sockets that are open already. A listener that needs credentials stays
    /// closed where none are configured, with a message in `warnings`. On error nothing has changed.
    [[nodiscard]] Result<std::vector<Listener>> open(const config::Http& http, std::vector<std::string>& warnings);

    /// Commits the sockets of the last open(); others close.
    void keep() { open_ = std::move(next_); }

  private:
    struct Open {
        Address address;
        std::uint16_t port = 0;
        std::shared_ptr<const FileDescriptor> socket;
    };

    [[nodiscard]] Result<Open> socket_for(const config::Listener& wanted) const;

    std::vector<Open> open_;
    std::vector<Open> next_;  ///< of the last open()
};

}  // namespace headgate::http
