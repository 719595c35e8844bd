// SPDX-License-Identifier: GPL-2.0-or-later
// TLS on the server's side: certificate, key, and the authority for client certificates.
#pragma once

#include <Poco/Net/Context.h>

#include <memory>
#include <string>

#include "headgate/result.h"

#include "config/configuration.h"

namespace headgate::http {

/// TLS 1.2 or later. Thread-safe; existing connections keep their context alive.
class TlsServer {
  public:
    /// Loads the files. An error names the file. A key that other users can read or change is refused.
    [[nodiscard]] static Result<std::shared_ptr<const TlsServer>> open(const config::Tls& files);

    [[nodiscard]] Poco::Net::Context::Ptr context() const { return context_; }

  private:
    explicit TlsServer(Poco::Net::Context::Ptr context) : context_(std::move(context)) {}

    Poco::Net::Context::Ptr context_;
};

/// The subject's common name, in UTF-8. Empty where there is none, more than one, or one with a NUL byte: these
/// identify no client unambiguously.
[[nodiscard]] std::string common_name_of(const X509* certificate);

}  // namespace headgate::http
