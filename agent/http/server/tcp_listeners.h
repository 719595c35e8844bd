// The TCP listeners of a configuration, and how they become those of the next one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headgate/result.h"

#include "config/configuration.h"
#include "http/server/listener.h"

namespace headgate::http {

/// What those must show who come through it; nothing where it stays closed, as nobody could show anything.
[[nodiscard]] std::optional<Admission> admission_of(const config::Http& http, const config::Listener& listener);

/// Not thread-safe.
class TcpListeners {
  public:
    /// Opens what is configured, and keeps sockets that are open already. A listener that would ask for credentials
    /// where none are configured stays closed, and says so in `warnings`. An error: nothing has changed, and nobody
    /// notices.
    [[nodiscard]] Result<std::vector<Listener>> open(const config::Http& http, std::vector<std::string>& warnings);

    /// What was opened last is what is open from now on.
    void keep() { open_ = std::move(next_); }

  private:
    struct Open {
        Address address;
        std::uint16_t port = 0;
        std::shared_ptr<const FileDescriptor> socket;
    };

    [[nodiscard]] Result<Open> socket_for(const config::Listener& wanted) const;

    std::vector<Open> open_;
    std::vector<Open> next_;  ///< what open() made last
};

}  // namespace headgate::http
