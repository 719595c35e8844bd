// What TLS takes on the server's side: certificate, key, and who signs the certificates of clients.
#pragma once

#include <Poco/Net/Context.h>

#include <memory>
#include <string>

#include "headgate/result.h"

#include "config/configuration.h"

namespace headgate::http {

/// TLS 1.2 and up. Thread-safe; connections that have begun keep it.
class TlsServer {
  public:
    /// Reads the files. An error names the file. A key that everybody can read is refused.
    [[nodiscard]] static Result<std::shared_ptr<const TlsServer>> open(const config::Tls& files);

    [[nodiscard]] Poco::Net::Context::Ptr context() const { return context_; }

  private:
    explicit TlsServer(Poco::Net::Context::Ptr context) : context_(std::move(context)) {}

    Poco::Net::Context::Ptr context_;
};

/// Of a certificate's subject, in UTF-8. Empty where there is none, where there are several, and where it holds a zero:
/// then it is not clear who is meant.
[[nodiscard]] std::string common_name_of(const X509* certificate);

}  // namespace headgate::http
