// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <CLI/App.hpp>

#include "base/text.h"
#include "cli/arguments.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/flow_text.h"
#include "cli/interruption.h"
#include "cli/operation_follower.h"
#include "cli/output_arguments.h"
#include "cli/terminal.h"
#include "config/value_types.h"
#include "gateway/local_quarantines.h"
#include "gateway/quarantine_json.h"
#include "operations/operation_fields.h"
#include "quarantine/quarantine_rules.h"
#include "sessions/ssh_sessions.h"

namespace headgate::cli {
namespace {

std::vector<Column> quarantine_columns() {
    using enum Column::Align;
    constexpr auto kUsually = Column::Shown::Usually;
    return {{"ADDRESS"},
            {"ACTION", Left, 5},
            {"LEFT", Right},
            {"PACKETS", Right, 1},
            {"BYTES", Right, 3},
            {"BY", Left, 4, kUsually, Column::Fit::Cut},
            {"SINCE", Left, 6},
            {"REASON", Left, 2, kUsually, Column::Fit::Cut},
            {"IN FORCE", Left, 0, Column::Shown::OnRequest}};
}

void add_addresses(CLI::App& command, std::vector<std::string>& addresses) {
    command.add_option("ADDRESS", addresses, "an address or a prefix, such as 192.0.2.7 or 2001:db8::/64; or several")
        ->required();
}

struct QuarantineListArguments {
    OutputArguments output{quarantine_columns()};
    EndpointArguments endpoint;

    void add_to(CLI::App& command) {
        output.add_to(command);
        endpoint.add_to(command);
    }
};

struct QuarantineRemoveArguments : QuarantineListArguments {
    std::vector<std::string> addresses;

    void add_to(CLI::App& command) {
        QuarantineListArguments::add_to(command);
        add_addresses(command, addresses);
    }
};

struct QuarantineExtendArguments : QuarantineRemoveArguments {
    std::optional<std::string> time;

    void add_to(CLI::App& command) {
        QuarantineRemoveArguments::add_to(command);
        OptionGroup{command}.add("--for", "DURATION", time, "how long from now on: 90s, 5m, 12h, 7d; 30d at most");
    }
};

struct QuarantineAddArguments : QuarantineExtendArguments {
    std::optional<std::string> reason;
    bool reject = false;
    bool flush = false;
    bool include_protected = false;
    bool wide = false;

    void add_to(CLI::App& command) {
        QuarantineExtendArguments::add_to(command);
        OptionGroup own{command};
        own.add("--reason", "TEXT", reason, "why, for the list and the audit trail");
        own.add_flag("--reject", reject,
                     "answer their packets with a TCP reset or an ICMP error, instead of dropping them");
        own.add_flag("--flush", flush, "end their flows, too, as soon as their packets are kept away");
        own.add_flag(
            "--include-protected", include_protected,
            "even if that cuts an SSH session, the gateway's own addresses or what the configuration protects");
        own.add_flag("--wide", wide, "permit prefixes that are wider than /16, or than /48 of IPv6");
    }
};

Result<std::chrono::seconds> parse_time_left(const std::optional<std::string>& text) {
    if (!text) return invalid("--for: say how long, such as --for 1h");
    auto time = config::parse_duration(*text).and_then(quarantine::checked_time);
    if (!time) return tl::unexpected(std::move(time.error()).within("--for"));
    return time;
}

Result<gateway::QuarantineRequest> quarantine_request(const QuarantineRemoveArguments& arguments) {
    gateway::QuarantineRequest request;
    request.endpoint = arguments.endpoint.name();
    request.caller = this_caller();
    for (const auto& text : arguments.addresses) {
        auto prefix = quarantine::parse_quarantined(text);
        if (!prefix) return tl::unexpected(std::move(prefix.error()).within("ADDRESS"));
        request.prefixes.push_back(*prefix);
    }
    if (auto checked = quarantine::check_prefixes(request.prefixes); !checked) {
        return tl::unexpected(std::move(checked.error()).within("ADDRESS"));
    }
    return request;
}

Result<gateway::QuarantineRequest> extension_request(const QuarantineExtendArguments& arguments) {
    ASSIGN_OR_RETURN(auto request, quarantine_request(arguments));
    ASSIGN_OR_RETURN(request.time, parse_time_left(arguments.time));
    return request;
}

Result<gateway::QuarantineRequest> addition_request(const QuarantineAddArguments& arguments) {
    ASSIGN_OR_RETURN(auto request, extension_request(arguments));
    auto reason = quarantine::parse_reason(arguments.reason.value_or(""));
    if (!reason) return tl::unexpected(std::move(reason.error()).within("--reason"));
    request.reason = std::move(*reason);
    if (arguments.reject) request.action = QuarantineAction::Reject;
    request.include_protected = arguments.include_protected;
    request.wide = arguments.wide;
    request.sessions = sessions::search_caller_sessions();
    return request;
}

Cells quarantine_cells(const QuarantineEntry& entry) {
    return {to_string(entry.prefix),
            std::string{to_string(entry.action)},
            entry.left,
            entry.packets,
            Bytes{entry.bytes},
            entry.by,
            entry.since,
            entry.reason,
            std::string{entry.is_in_force ? "yes" : "no"}};
}

void warn_of_missing(const std::vector<QuarantineEntry>& entries) {
    const auto missing = static_cast<std::uint64_t>(std::ranges::count(entries, false, &QuarantineEntry::is_in_force));
    if (missing == 0) return;
    warn(fmt::format(
        "{} {} not in force: another program has removed rules of the table inet headgate_quarantine, as nft "
        "flush ruleset does; headgate quarantine extend puts all back",
        missing, missing == 1 ? "entry is" : "entries are"));
}

/// `flushes`: operations that have ended the flows of the entries.
Result<void> write_quarantine(Writer& writer, const gateway::EndpointQuarantine& quarantine,
                              const std::vector<std::string>& flushes = {}) {
    for (const auto& warning : quarantine.warnings)
        warn(warning);
    warn_of_missing(quarantine.entries);
    writer.begin({.list = "quarantine", .json = [&](fmt::memory_buffer& out) {
                      JsonMembers members{out};
                      write_members(members, quarantine.endpoint);
                      out.push_back(',');
                  }});
    for (const auto& entry : quarantine.entries) {
        writer.row([&](fmt::memory_buffer& out) { gateway::append_quarantine_entry_json(out, entry); },
                   [&] { return quarantine_cells(entry); });
    }
    return writer.end({.json = [&](fmt::memory_buffer& out) {
        if (flushes.empty()) return;
        out.push_back(',');
        JsonMembers{out}.texts("flushes", flushes);
    }});
}

Result<ExitCode> write_answer(Writer& writer, const Result<gateway::EndpointQuarantine>& quarantine) {
    if (!quarantine) return tl::unexpected(about_argument(quarantine.error()));
    return done(write_quarantine(writer, *quarantine));
}

/// Flushes of the flows from and to these addresses, which are in quarantine by now: as many as the limit of filters
/// requires.
struct EndedFlowsOf {
    std::vector<std::string> operations;
    ExitCode code = ExitCode::Done;
};

Result<FlowOperation> flush_flows(const GatewayArguments& gateway_arguments, gateway::FlowOperations& operations,
                                  const gateway::QuarantineRequest& quarantine, std::span<const Prefix> prefixes) {
    gateway::OperationRequest request;
    request.type = OperationType::Flush;
    request.endpoint = quarantine.endpoint;
    request.query = gateway::flows_of(prefixes);
    request.caller = quarantine.caller;
    request.sessions = quarantine.sessions;
    request.include_protected = quarantine.include_protected;
    ASSIGN_OR_RETURN(auto configuration, gateway_arguments.load());
    request.protected_filters = std::move(configuration.protected_filters);
    return run_operation(operations, request, Explain::No);
}

EndedFlowsOf end_flows(const GatewayArguments& gateway_arguments, gateway::FlowOperations& operations,
                       const gateway::QuarantineRequest& request) {
    EndedFlowsOf ended;
    for (std::span<const Prefix> rest{request.prefixes}; !rest.empty();) {
        const auto some = rest.first(std::min(rest.size(), kMaxFilters));
        rest = rest.subspan(some.size());
        const auto operation = flush_flows(gateway_arguments, operations, request, some);
        if (!operation) {
            warn(fmt::format("the addresses are in quarantine, but their flows were not ended: {}",
                             operation.error().message));
            ended.code = ExitCode::CompletedWithErrors;
            return ended;
        }
        for (const auto& warning : operation->warnings)
            warn(warning);
        note(fmt::format("{}: flush {}", outcomes_text(*operation), operation->id));
        ended.operations.push_back(operation->id);
        if (operation->status != OperationStatus::Completed) ended.code = ExitCode::CompletedWithErrors;
    }
    return ended;
}

Result<ExitCode> run_quarantine_add(const GatewayArguments& gateway_arguments, const QuarantineAddArguments& arguments,
                                    Writer& writer) {
    ASSIGN_OR_RETURN(const auto request, addition_request(arguments));
    ASSIGN_OR_RETURN(const auto gateway, gateway_arguments.open(request.endpoint));
    const Interruption interruption;
    const auto added = gateway->quarantines().add(request);
    if (!added) return tl::unexpected(about_argument(added.error()));
    EndedFlowsOf ended;
    if (added->offloaded_flows != 0 && !arguments.flush) {
        note(fmt::format("{} of these addresses in a flowtable, past all rules: their flows are ended",
                         plural(added->offloaded_flows, "flow")));
    }
    if (arguments.flush || added->offloaded_flows != 0) {
        ended = end_flows(gateway_arguments, gateway->operations(), request);
    }
    return write_quarantine(writer, *added, ended.operations).map([&] { return ended.code; });
}

Result<ExitCode> run_quarantine_list(const GatewayArguments& gateway_arguments,
                                     const QuarantineListArguments& arguments, Writer& writer) {
    ASSIGN_OR_RETURN(const auto gateway, gateway_arguments.open(arguments.endpoint.name()));
    return write_answer(writer, gateway->quarantines().quarantined(arguments.endpoint.name()));
}

Result<ExitCode> run_quarantine_extend(const GatewayArguments& gateway_arguments,
                                       const QuarantineExtendArguments& arguments, Writer& writer) {
    ASSIGN_OR_RETURN(const auto request, extension_request(arguments));
    ASSIGN_OR_RETURN(const auto gateway, gateway_arguments.open(request.endpoint));
    return write_answer(writer, gateway->quarantines().extend(request));
}

Result<ExitCode> run_quarantine_remove(const GatewayArguments& gateway_arguments,
                                       const QuarantineRemoveArguments& arguments, Writer& writer) {
    ASSIGN_OR_RETURN(const auto request, quarantine_request(arguments));
    ASSIGN_OR_RETURN(const auto gateway, gateway_arguments.open(request.endpoint));
    return write_answer(writer, gateway->quarantines().remove(request));
}

}  // namespace

void add_quarantine_commands(CommandTree& tree) {
    CLI::App& quarantine = tree.add_group("quarantine", "Keep the packets from and to some addresses away for a while");
    add_examples(quarantine, {"headgate quarantine add 10.20.0.7 --for 1h --reason 'scans' --flush",
                              "headgate quarantine list", "headgate quarantine remove 10.20.0.7"});
    add_examples(tree.add(quarantine, "add", "Put addresses in quarantine", run_quarantine_add),
                 {"headgate quarantine add 10.20.0.7 --for 1h --reason 'ticket 4711' --flush",
                  "headgate quarantine add 10.20.0.0/24 2001:db8:20::/64 --for 30m --reject"});
    add_examples(tree.add(quarantine, "list", "Show what is in quarantine, and what it caught", run_quarantine_list),
                 {"headgate quarantine list --sort packets"});
    add_examples(tree.add(quarantine, "extend", "Set how long addresses stay in quarantine", run_quarantine_extend),
                 {"headgate quarantine extend 10.20.0.7 --for 12h"});
    add_examples(tree.add(quarantine, "remove", "Release addresses from quarantine", run_quarantine_remove),
                 {"headgate quarantine remove 10.20.0.7"});
}

}  // namespace headgate::cli
