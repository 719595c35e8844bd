// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>
#include <functional>
#include <istream>

#include "headgate/judge.h"

#include "cli/arguments.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/flush_options.h"
#include "cli/interruption.h"
#include "cli/operation_follower.h"
#include "cli/output_arguments.h"
#include "cli/patient_input.h"
#include "cli/terminal.h"

namespace headgate::cli {
namespace {

using ShownFlows = std::function<bool(const FlowRow&)>;

constexpr std::string_view kAll = "all";

/// What can be shown: the verdicts in their order, and all of them.
constexpr auto kShown = [] {
    std::array<std::string_view, kNames<VerdictResult>.size() + 1> names{};
    *std::ranges::copy(kNames<VerdictResult>, names.begin()).out = kAll;
    return names;
}();

struct RematchArguments {
    FilterArguments filter;
    EndpointArguments endpoint;
    OutputArguments output{flow_columns()};
    std::optional<std::string> ruleset, show;
    bool flush = false;
    bool include_translated = false;
    FlushOptions options;
    SearchArguments search;

    void add_to(CLI::App& command) {
        filter.add_to(command);
        endpoint.add_to(command);
        output.add_to(command);
        OptionGroup own{command};
        own.add("--ruleset", "FILE", ruleset,
                "judge by what `nft -f FILE` would make of the ruleset in force, without loading it; - is standard "
                "input");
        own.add("--show", "VERDICT", show,
                "only flows with this verdict: allowed, refused, translated or unknown; or all. By default all but "
                "allowed");
        OptionGroup flushing{command, "With --flush"};
        flushing.add_flag("--flush", flush, "end the flows that the ruleset in force refuses");
        flushing.add_flag("--include-translated", include_translated,
                          "and those that it would translate to other addresses");
        options.add_to(flushing);
        search.add_to(command);
    }
};

Result<void> check(const RematchArguments& arguments) {
    if (!arguments.flush && (arguments.include_translated || arguments.options.given())) {
        return invalid("--flush: is missing beside an option that says how flows are ended");
    }
    if (arguments.flush && arguments.ruleset) {
        return invalid(
            "--ruleset: its flows cannot be flushed while other rules are in force: load it first, with nft -f {}, "
            "then "
            "headgate rematch --flush",
            *arguments.ruleset);
    }
    if (arguments.flush && arguments.show) return invalid("--show: with --flush, the flows of the flush are shown");
    return {};
}

Result<ShownFlows> shown_flows(const std::optional<std::string>& show) {
    if (!show) return [](const FlowRow& row) { return !row.verdict.is(VerdictResult::Allowed); };
    auto found = find_name(kShown, *show, LetterCase::Exact);
    if (!found) return tl::unexpected(std::move(found.error()).within("--show"));
    if (kShown.at(*found) == kAll) return ShownFlows{};
    return [wanted = static_cast<VerdictResult>(*found)](const FlowRow& row) { return row.verdict.is(wanted); };
}

/// Read completely before anything is locked, and while a signal still ends the program at once.
Result<std::string> read_ruleset(const std::string& path) {
    ASSIGN_OR_RETURN(const auto input, PatientInput::open(path));
    std::istream stream{input.get()};
    std::string text;
    constexpr auto kMost = kLongestCandidate;
    for (int c = stream.rdbuf()->sbumpc(); c != std::char_traits<char>::eof(); c = stream.rdbuf()->sbumpc()) {
        if (text.size() == kMost) return invalid("--ruleset: {} has more than {} MiB", path, kMost >> 20U);
        text.push_back(static_cast<char>(c));
    }
    if (const auto& fault = input->fault()) return tl::unexpected(*fault);
    return text;
}

Result<gateway::OperationRequest> request_of(const RematchArguments& arguments) {
    gateway::OperationRequest request;
    request.type = OperationType::Rematch;
    request.endpoint = arguments.endpoint.name();
    request.caller = this_caller();
    request.no_fast_scan = arguments.search.no_fast_scan;
    ASSIGN_OR_RETURN(request.query, arguments.filter.query());
    if (arguments.ruleset) {
        ASSIGN_OR_RETURN(request.ruleset_text, read_ruleset(*arguments.ruleset));
    }
    return request;
}

/// Of exactly the flows that the rematch has refused, and, if wanted, of those that it has found translated.
Result<gateway::OperationRequest> flush_of(const FlowOperation& judged, const RematchArguments& arguments,
                                           const config::Configuration& configuration) {
    gateway::OperationRequest request;
    request.type = OperationType::Flush;
    request.endpoint = arguments.endpoint.name();
    request.caller = this_caller();
    request.from_operation = judged.id;
    request.include_translated = arguments.include_translated;
    return arguments.options.complete(request, configuration).map([&] { return std::move(request); });
}

std::uint64_t flows_to_flush(const FlowOperation& judged, const RematchArguments& arguments) {
    const auto translated = arguments.include_translated ? judged.counts.of(VerdictResult::Translated) : 0;
    return judged.counts.of(VerdictResult::Refused) + translated;
}

Result<ExitCode> run_rematch(const GatewayArguments& gateway_arguments, const RematchArguments& arguments,
                             Writer& writer) {
    RETURN_IF_ERROR(check(arguments));
    ASSIGN_OR_RETURN(const auto shows, shown_flows(arguments.show));
    ASSIGN_OR_RETURN(const auto request, request_of(arguments));
    ASSIGN_OR_RETURN(const auto configuration, gateway_arguments.load());
    ASSIGN_OR_RETURN(const auto gateway, gateway_arguments.open(request.endpoint));
    auto& operations = gateway->operations();
    const auto explain = arguments.search.explain ? Explain::Yes : Explain::No;
    OperationOutput judged_output{writer, shows};
    ASSIGN_OR_RETURN(const auto judged,
                     run_operation(operations, request, explain, arguments.flush ? nullptr : &judged_output));
    if (!arguments.flush || flows_to_flush(judged, arguments) == 0) {
        return conclude(gateway_arguments, operations, judged, judged_output);
    }
    for (const auto& warning : judged.warnings)
        warn(warning);
    note(fmt::format("judged by operation {}", judged.id));
    auto flush = flush_of(judged, arguments, configuration);
    if (flush && arguments.options.asks()) flush = confirmed(operations, std::move(*flush), explain);
    const Interruption interruption;
    ASSIGN_OR_RETURN(const auto flushed,
                     flush.and_then([&](const auto& agreed) { return run_operation(operations, agreed, explain); }));
    OperationOutput output{writer};
    ASSIGN_OR_RETURN(const auto code, conclude(gateway_arguments, operations, flushed, output));
    const bool is_partial = code == ExitCode::Done && judged.status == OperationStatus::CompletedWithErrors;
    return is_partial ? ExitCode::CompletedWithErrors : code;
}

}  // namespace

void add_rematch_command(CommandTree& tree) {
    auto& command =
        tree.add(tree.app(), "rematch", "Show the flows that the firewall's rules would no longer allow", run_rematch);
    add_examples(command, {
                              "headgate rematch --all   # by the ruleset in force",
                              "headgate rematch --all --ruleset /etc/nftables.conf.new   # before it is loaded",
                              "headgate rematch -p tcp --dport 22 --show all -o wide",
                              "headgate rematch --all --flush --max-flows 1000",
                          });
}

}  // namespace headgate::cli
