// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/syslog.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <utility>

#include "flowlog/sinks/datagram_sink.h"
#include "flowlog/sinks/socket_address.h"
#include "flowlog/sinks/stream_sinks.h"

namespace headgate::flowlog {
namespace {

/// RFC 5424, section 6.2.1: facility 3 (daemon) times 8, severity 6 (informational).
constexpr int kPriority = 3 * 8 + 6;

/// RFC 5424, section 6: at most 255 printable ASCII characters, or `-`.
std::string host_name() {
    utsname system{};
    ::uname(&system);
    std::string name{system.nodename};
    std::erase_if(name, [](char c) { return c <= ' ' || c > '~'; });
    name.resize(std::min<std::size_t>(name.size(), 255));
    return name.empty() ? "-" : name;
}

std::string header_now() {
    return syslog_header(std::chrono::system_clock::now(), host_name(), ::getpid());
}

Envelope in_syslog() {
    return {.before = header_now, .after = {}};
}

/// RFC 6587, section 3.4.1: octet counting.
void count_octets(std::string& out, std::string_view header, std::string_view line) {
    fmt::format_to(std::back_inserter(out), "{} {}{}", header.size() + line.size(), header, line);
}

/// RFC 6587, section 3.4.2: the framing that readers of local stream sockets expect. A record contains no newline.
void end_by_line(std::string& out, std::string_view header, std::string_view line) {
    out.append(header).append(line).push_back('\n');
}

/// The local syslog socket is nearly always a datagram socket; if connect(2) fails with EPROTOTYPE, it is a stream
/// socket.
class LocalSyslogSink final : public Sink {
  public:
    explicit LocalSyslogSink(const SocketAddress& to)
        : datagrams_(to, in_syslog()), stream_(to, {.before = header_now, .append = end_by_line}) {}

    [[nodiscard]] Result<Written> write(const LineBlock& block, std::size_t first) override {
        auto written = used_->write(block, first);
        if (written || written.error().number != EPROTOTYPE) return written;
        used_ = used_ == &datagrams_ ? &stream_ : static_cast<Sink*>(&datagrams_);
        return used_->write(block, first);
    }

    void reopen() override { used_->reopen(); }

  private:
    DatagramSink datagrams_;
    ConnectionSink stream_;
    Sink* used_ = &datagrams_;
};

}  // namespace

std::string syslog_header(Timestamp now, std::string_view host, int process) {
    const auto microseconds = std::chrono::floor<std::chrono::microseconds>(now);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(microseconds);
    return fmt::format("<{}>1 {:%Y-%m-%dT%H:%M:%S}.{:06}Z {} headgate {} flow - ", kPriority,
                       fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), (microseconds - seconds).count(),
                       host, process);
}

std::unique_ptr<Sink> make_syslog_sink(const config::SyslogTarget& target) {
    switch (target.transport) {
        case config::SyslogTransport::Udp:
            return std::make_unique<DatagramSink>(SocketAddress{target.address, target.port}, in_syslog());
        case config::SyslogTransport::Tcp:
            return std::make_unique<ConnectionSink>(SocketAddress{target.address, target.port},
                                                    Framing{.before = header_now, .append = count_octets});
        case config::SyslogTransport::Unix:
            break;
    }
    return std::make_unique<LocalSyslogSink>(SocketAddress{target.socket});
}

}  // namespace headgate::flowlog
