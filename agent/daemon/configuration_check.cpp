// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/configuration_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "base/text.h"
#include "gateway/endpoints.h"
#include "http/access/credentials.h"
#include "http/server/tcp_listener.h"
#include "http/server/tcp_listeners.h"
#include "http/server/tls_server.h"
#include "midstream/policy_library.h"
#include "operations/store_file.h"

namespace headgate::daemon {
namespace {

class Checker {
  public:
    Checker(const config::Configuration& configuration, const FileIdentity& agent)
        : configuration_(configuration), agent_(agent) {}

    [[nodiscard]] std::vector<ConfigurationFault> find_faults() {
        check_state_dir();
        check_logs();
        check_http();
        check_policies();
        check_namespaces();
        return std::move(faults_);
    }

  private:
    /// A missing directory is created by the agent, and one that is read-only stops flushes only. With a store that is
    /// damaged, or of a later version, the agent does not start; it says so itself when it opens it.
    void check_state_dir() {
        const auto& folder = configuration_.state_dir;
        auto usable = agent_.run([&]() -> Result<void> {
            struct stat facts {};
            if (::stat(folder.c_str(), &facts) != 0) {
                if (errno == ENOENT) return {};
                return system_error(errno, folder.native());
            }
            if (!S_ISDIR(facts.st_mode)) return invalid("{}: not a directory", folder.native());
            return check_access(folder, W_OK | X_OK);
        });
        if (usable) usable = operations::check_store_file(folder);
        note(Prevents::Nothing, "state_dir", usable);
    }

    /// A missing one is created by the agent or by systemd, and one that is in use may be the running agent's.
    Result<void> check_socket() {
        const auto& path = configuration_.http.socket;
        struct stat facts {};
        if (::lstat(path.c_str(), &facts) != 0) return check_folder_of(path);
        if (S_ISSOCK(facts.st_mode)) return {};
        return invalid("{}: not a socket", path.native());
    }

    /// Without them, the agent starts, but no flow is flushed, or ended flows are not recorded.
    void check_logs() {
        note(Prevents::Nothing, "audit_log", agent_.run([&] { return check_log(configuration_.audit_log); }));
        for (const auto& sink : configuration_.flow_log.sinks) {
            if (!sink.file) continue;
            note(Prevents::Nothing, "flow_log.sinks", agent_.run([&] { return check_log(*sink.file); }));
        }
    }

    Result<void> check_log(const std::filesystem::path& path) {
        struct stat facts {};
        if (::stat(path.c_str(), &facts) != 0) {
            return errno == ENOENT ? check_folder_of(path) : system_error(errno, path.native());
        }
        if (S_ISDIR(facts.st_mode)) return invalid("{}: a directory", path.native());
        return check_access(path, W_OK);
    }

    /// Whether a file can be created there, in folders that the agent creates first, or that systemd creates for it.
    Result<void> check_folder_of(const std::filesystem::path& path) {
        auto folder = path.parent_path();
        struct stat facts {};
        while (::stat(folder.c_str(), &facts) != 0) {
            if (errno != ENOENT || folder == folder.parent_path()) return system_error(errno, folder.native());
            folder = folder.parent_path();
            if (folder == "/run" || folder == "/var/log") return {};
        }
        if (!S_ISDIR(facts.st_mode)) return invalid("{}: not a directory", folder.native());
        return check_access(folder, W_OK | X_OK);
    }

    [[nodiscard]] Result<void> check_access(const std::filesystem::path& path, int wanted) const {
        if (::faccessat(AT_FDCWD, path.c_str(), wanted, AT_EACCESS) == 0) return {};
        return system_error(errno, path.native() + agent_.description());
    }

    void check_http() {
        const auto& http = configuration_.http;
        note(Prevents::Starting, "http.socket", agent_.run([&] { return check_socket(); }));
        if (http.credentials) {
            note(Prevents::Starting, "http.credentials",
                 agent_.run([&] { return http::access::load_credentials(*http.credentials).map([](const auto&) {}); }));
        }
        for (const auto& listener : http.listeners) {
            if (!http::admission_of(http, listener)) continue;
            if (listener.tls && has_files(*listener.tls)) {
                note(Prevents::Starting, "http.listeners",
                     agent_.run([&] { return http::TlsServer::open(*listener.tls).map([](const auto&) {}); }));
            }
            note(Prevents::Starting, "http.listeners", try_to_bind(listener));
        }
    }

    /// Not so where only part of the configuration could be read.
    static bool has_files(const config::Tls& tls) { return !tls.certificate.empty() && !tls.key.empty(); }

    /// Without listening, so that no client of a stopped agent connects to this. A port in use is no fault here: the
    /// agent that runs may be what uses it.
    static Result<void> try_to_bind(const config::Listener& listener) {
        const auto socket = http::bind_tcp(listener.address, listener.port);
        if (socket || socket.error().number == EADDRINUSE) return {};
        return tl::unexpected(socket.error());
    }

    void check_policies() {
        std::set<std::string> names;
        for (const auto& [firewall, endpoint] : config::endpoints_of(configuration_)) {
            auto name = config::policy_to_keep(config::configured_policy(configuration_, *endpoint));
            if (name) names.insert(std::move(*name));
        }
        for (const auto& name : names) {
            note(Prevents::Reloading, "stream_exception_policy", agent_.run([&] {
                return midstream::find_policy(name, midstream::policy_folders()).map([](const auto&) {});
            }));
        }
    }

    void check_namespaces() {
        const gateway::Endpoints endpoints{std::make_shared<const config::Configuration>(configuration_)};
        for (const auto& endpoint : endpoints.all())
            note(Prevents::Nothing, "netns", endpoint->open_namespace().map([](const auto&) {}));
    }

    /// An error may have several lines.
    void note(Prevents prevents, std::string_view setting, const Result<void>& checked) {
        if (checked) return;
        for (std::string_view rest = checked.error().message; !rest.empty();)
            faults_.push_back({prevents, fmt::format("{}: {}", setting, take_until(rest, '\n'))});
    }

    const config::Configuration& configuration_;
    const FileIdentity& agent_;
    std::vector<ConfigurationFault> faults_;
};

}  // namespace

std::vector<ConfigurationFault> check_configuration(const config::Configuration& configuration,
                                                    const FileIdentity& agent) {
    return Checker{configuration, agent}.find_faults();
}

Result<void> verdict(const std::vector<ConfigurationFault>& faults, Prevents prevents) {
    std::string lines;
    for (const auto& fault : faults) {
        if (fault.prevents > prevents) continue;
        lines.append(lines.empty() ? "" : "\n").append(fault.message);
    }
    if (lines.empty()) return {};
    return invalid("{}", lines);
}

}  // namespace headgate::daemon
