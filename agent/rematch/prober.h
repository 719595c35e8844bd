// SPDX-License-Identifier: GPL-2.0-or-later
// Sends probes through the world and collects what the kernel reports about them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "netlink/socket.h"
#include "rematch/gateway_network.h"
#include "rematch/observation.h"
#include "rematch/ruleset_loader.h"
#include "rematch/trace_event.h"

namespace headgate::rematch {

enum class Loss : std::uint8_t { None, Some };

struct PassOptions {
    ProbeKind kind = ProbeKind::Silent;
    MarkWorld marks = MarkWorld::Unmarked;
    std::size_t input = 0;  ///< which of the routes back to the source is the way in
};

class Prober {
  public:
    /// In the calling thread's network namespace, in which the world is built and the instrumented ruleset loaded.
    /// Keeps the thread on its CPU: a sentinel then follows all probes that were sent before it.
    /// `receive_room`: bytes of reports that may wait.
    [[nodiscard]] static Result<Prober> open(const GatewayNetwork& network, int receive_room);

    /// Asks the questions with these indices, and writes what was seen to `seen`, at the same indices. With a loss,
    /// nothing in it can be relied upon.
    [[nodiscard]] Result<Loss> ask(std::span<const Question> questions, std::span<const std::size_t> which,
                                   const PassOptions& options, std::span<Observation> seen);

  private:
    /// Of routes to an address.
    struct Way {
        int type = 0;  ///< RTN_UNICAST, RTN_LOCAL, ...; 0: none
        std::vector<int> links;
    };
    using TaggedRules = std::unordered_map<std::uint64_t, RuleTag>;  ///< by handle

    Prober(netlink::Socket trace, netlink::Socket routes) : trace_(std::move(trace)), routes_(std::move(routes)) {}

    [[nodiscard]] Result<void> open_senders();
    [[nodiscard]] Result<void> read_tags();
    [[nodiscard]] Result<const Way*> way_to(const Address& address);
    [[nodiscard]] Result<void> send(const Question& question, std::uint32_t cookie, const PassOptions& options,
                                    Observation& seen);
    [[nodiscard]] bool send_as_if_received(const Question& question, std::uint32_t cookie, int link,
                                           const PassOptions& options);
    [[nodiscard]] bool send_from_here(const Question& question, std::uint32_t cookie, const PassOptions& options);
    [[nodiscard]] bool send_frame(int link, Family family, std::span<const std::uint8_t> packet,
                                  std::optional<std::uint32_t> mark);
    [[nodiscard]] Result<Loss> wait_for_sentinel();
    [[nodiscard]] Loss receive();
    void note(const TraceEvent& event);
    void note_rule(const TraceEvent& event, Observation& seen);
    [[nodiscard]] Observation* probed_by(const TraceEvent& event);
    [[nodiscard]] Result<void> forget_connections();

    netlink::Socket trace_;
    netlink::Socket routes_;
    FileDescriptor packets_;
    FileDescriptor raw4_;
    FileDescriptor raw6_;
    std::map<int, std::string> link_names_;
    std::map<int, std::array<std::uint8_t, 6>> hardware_addresses_;
    std::map<std::array<std::uint8_t, 17>, Way> ways_;
    std::map<std::pair<std::uint8_t, std::string>, TaggedRules, std::less<>> tagged_;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(netlink::kDumpBuffer);

    // Of the pass in progress.
    std::span<Observation> seen_;
    std::uint32_t first_cookie_ = 1;  ///< of the question with index 0
    std::uint32_t packet_ = 0;        ///< the one that reports are about, and its observation
    Observation* current_ = nullptr;
    std::optional<SeenProbe> last_headers_;
    std::uint32_t sentinel_ = 0;  ///< the number of the last one sent
    std::uint32_t sentinel_seen_ = 0;
};

}  // namespace headgate::rematch
