// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/tls_server.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/NetSSL.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace headgate::http {
namespace {

using Poco::Net::Context;

/// Forward-secret key exchange only (RFC 9325, section 4.2); TLS 1.3 has no other.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

/// OpenSSL would block on opening a FIFO.
Result<void> check_readable(const std::filesystem::path& file) {
    struct stat facts {};
    // AT_EACCESS: access(2) asks for the real user.
    if (::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) != 0 || ::stat(file.c_str(), &facts) != 0) {
        return system_error(errno, file.native());
    }
    if (!S_ISREG(facts.st_mode)) return invalid("{}: not a regular file", file.native());
    return {};
}

Result<void> check_secret(const std::filesystem::path& key) {
    struct stat facts {};
    if (::stat(key.c_str(), &facts) != 0) return system_error(errno, key.native());
    if ((facts.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) == 0) return check_readable(key);
    return invalid("{0}: others can read or change this private key; do: chmod 600 {0}", key.native());
}

Context::Ptr make_context(const config::Tls& files) {
    Poco::Net::initializeSSL();
    Context::Params params;
    params.certificateFile = files.certificate.native();
    params.privateKeyFile = files.key.native();
    if (files.client_ca) params.caLocation = files.client_ca->native();
    params.verificationMode = files.client_ca ? Context::VERIFY_STRICT : Context::VERIFY_NONE;
    params.cipherList = kCiphers;
    Context::Ptr context{new Context{Context::TLS_SERVER_USE, params}};
    context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
    // It would compare a client certificate with the client's host name, which it need not contain.
    context->enableExtendedCertificateVerification(false);
    // No session resumption, so that a withdrawn certificate is refused from the next connection on.
    context->enableSessionCache(false);
    context->disableStatelessSessionResumption();
    SSL_CTX_set_num_tickets(context->sslContext(), 0);
    SSL_CTX_set_options(context->sslContext(), SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context->sslContext(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    return context;
}

struct FreeText {
    void operator()(unsigned char* text) const { OPENSSL_free(text); }
};

}  // namespace

std::string common_name_of(const X509* certificate) {
    const auto* const subject = ::X509_get_subject_name(certificate);
    const int place = ::X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (place < 0 || ::X509_NAME_get_index_by_NID(subject, NID_commonName, place) >= 0) return {};
    unsigned char* text = nullptr;
    const int size = ::ASN1_STRING_to_UTF8(&text, ::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, place)));
    const std::unique_ptr<unsigned char, FreeText> owner{text};
    if (size < 0) return {};
    std::string name{reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
    return name.find('\0') == std::string::npos ? name : std::string{};
}

Result<std::shared_ptr<const TlsServer>> TlsServer::open(const config::Tls& files) {
    auto readable = check_readable(files.certificate).and_then([&] { return check_secret(files.key); });
    if (readable && files.client_ca) readable = check_readable(*files.client_ca);
    if (!readable) return tl::unexpected(std::move(readable.error()).within("tls"));
    try {
        return std::shared_ptr<const TlsServer>{new TlsServer{make_context(files)}};
    } catch (const Poco::Exception& thrown) {
        return invalid("tls: {} and {}: {}", files.certificate.native(), files.key.native(), thrown.displayText());
    }
}

}  // namespace headgate::http
