// SPDX-License-Identifier: GPL-2.0-or-later
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>

#include "headgate/clock.h"

#include "base/printable.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/flow_text.h"
#include "cli/interruption.h"
#include "cli/output_arguments.h"
#include "cli/terminal.h"
#include "flow/flow_json.h"
#include "flowlog/ended_flow_filter.h"
#include "flowlog/recent_flow_buffer.h"
#include "flowlog/record_file.h"
#include "flowlog/record_reader.h"
#include "gateway/whole_operation_id.h"

namespace headgate::cli {
namespace {

constexpr std::uint64_t kLinesBeforeFollowing = 10;
constexpr int kBetweenLooks = 250;  // milliseconds between two reads of a followed file

std::vector<Column> log_columns() {
    using enum Column::Align;
    constexpr auto kUsually = Column::Shown::Usually;
    constexpr auto kOnRequest = Column::Shown::OnRequest;
    constexpr auto kWhole = Column::Fit::Whole;
    constexpr std::size_t kEnd = std::string_view{"192.168.255.255:443"}.size();
    return {{"TIME", Left, 1, kUsually, kWhole, std::string_view{"18:10:14"}.size()},
            {"PROTO", Left, 3, kUsually, kWhole},
            {"SOURCE", Left, 0, kUsually, kWhole, kEnd},
            {"DESTINATION", Left, 0, kUsually, kWhole, kEnd},
            {"LAST STATE", Left, 4, kUsually, kWhole, std::string_view{"ESTABLISHED"}.size()},
            {"REASON", Left, 0, kUsually, kWhole, std::string_view{"flushed"}.size()},
            {"AGE", Right, 6, kUsually, kWhole, std::string_view{"59m59s"}.size()},
            {"PACKETS", Right, 8},
            {"BYTES", Right, 7, kUsually, kWhole, std::string_view{"1023 KiB"}.size()},
            {"BY", Left, 2, kUsually, Column::Fit::Cut, std::string_view{"conntrack (port 4711)"}.size()},
            {"OPERATION", Left, 5},
            {"FIREWALL", Left, 0, kOnRequest},
            {"ZONE", Left, 0, kOnRequest}};
}

struct LogArguments {
    TupleArguments filter;
    OutputArguments output{log_columns()};
    std::vector<std::string> reasons;
    std::optional<std::string> firewall, since, until, by, operation, lines, file;
    bool follow = false;

    void add_to(CLI::App& command) {
        OptionGroup own{command};
        own.add_flag("--follow", follow,
                     "go on with the flows that end from now on, until Ctrl-C or the time of --until");
        own.add("--reason", "REASON", reasons,
                "flushed, closed, timeout or evicted; may be repeated. all: as without it");
        own.add("--firewall", "NAME", firewall, "flows of this firewall alone");
        own.add("--since", "TIME", since,
                "flows that ended then or later: a duration before now, such as 1h, or a time such as "
                "2026-11-21T09:30:00Z");
        own.add("--until", "TIME", until, "flows that ended then or earlier");
        own.add("--by", "NAME", by, "flows that an operation of this user ended, or this program");
        own.add("--operation", "ID", operation,
                "flows that this operation ended; the first characters of its id will do");
        own.add("--lines", "N", lines,
                fmt::format("the last N that match; without it, all of them, or {} before --follow goes on",
                            kLinesBeforeFollowing));
        own.add("--file", "FILE", file,
                "the flow log, in place of the first file in the configuration's flow_log.sinks");
        filter.add_to(command);
        output.add_to(command);
    }
};

/// Which records to show.
struct LogQuery {
    flowlog::EndedFlowFilter flows;
    std::optional<std::uint64_t> lines;
    bool follow = false;
};

Result<std::vector<EndReason>> read_reasons(const std::vector<std::string>& texts) {
    std::vector<EndReason> reasons;
    if (std::ranges::find(texts, "all") != texts.end()) return reasons;
    for (const auto& text : texts) {
        auto reason = parse_name_in_any_case<EndReason>(text);
        if (!reason) return tl::unexpected(std::move(reason.error()).within("--reason"));
        reasons.push_back(*reason);
    }
    return reasons;
}

Result<flowlog::EndedFlowFilter> read_flows(const LogArguments& arguments) {
    flowlog::EndedFlowFilter flows;
    ASSIGN_OR_RETURN(flows.reasons, read_reasons(arguments.reasons));
    ASSIGN_OR_RETURN(flows.filters, arguments.filter.read());
    if (arguments.firewall) flows.firewalls = {*arguments.firewall};
    ASSIGN_OR_RETURN(flows.since, parse_time("--since", arguments.since));
    ASSIGN_OR_RETURN(flows.until, parse_time("--until", arguments.until));
    flows.user = arguments.by;
    if (arguments.operation) {
        auto id = gateway::parse_operation_id(*arguments.operation);
        if (!id) return tl::unexpected(std::move(id.error()).within("--operation"));
        flows.operation_id = std::move(*id);
    }
    return flows;
}

Result<LogQuery> read_query(const LogArguments& arguments) {
    LogQuery query;
    ASSIGN_OR_RETURN(query.flows, read_flows(arguments));
    query.follow = arguments.follow;
    ASSIGN_OR_RETURN(query.lines, parse_count("--lines", arguments.lines));
    if (!query.lines && query.follow) query.lines = kLinesBeforeFollowing;
    return query;
}

std::string destination_of(const FlowTuple& tuple) {
    if (!is_icmp(tuple.protocol)) return destination_text(tuple);
    return fmt::format("{} type {} code {}", to_string(tuple.destination), tuple.icmp_type, tuple.icmp_code);
}

/// Who ended the flow: a process, or the user of an operation.
std::string culprit(const flowlog::LoggedFlow& flow) {
    if (!flow.port_id) return flow.user;
    return flow.process.empty() ? fmt::format("port {}", *flow.port_id)
                                : fmt::format("{} (port {})", flow.process, *flow.port_id);
}

/// The time as text, if it is none: a record may hold anything.
Cell end_time(std::string_view text) {
    const auto time = parse_rfc3339(text);
    return time ? Cell{*time} : Cell{std::string{text}};
}

/// As a capture shows it: the flow state, followed by the protocol's own state if that differs.
std::string last_state_text(const flowlog::LoggedFlow& flow) {
    auto own = flow.protocol_state;
    std::ranges::transform(own, own.begin(), to_upper);
    if (own.empty() || own == flow.last_state) return flow.last_state;
    return flow.last_state.empty() ? own : fmt::format("{} ({})", flow.last_state, own);
}

Cells log_cells(const flowlog::LoggedFlow& flow) {
    const auto& tuple = flow.tuple;
    return {end_time(flow.ended_at),
            std::string{to_string(tuple.protocol)},
            source_text(tuple),
            destination_of(tuple),
            last_state_text(flow),
            flow.reason ? std::string{to_string(*flow.reason)} : "",
            cell_if(flow.age),
            cell_if(flow.packets),
            flow.bytes ? Cell{Bytes{*flow.bytes}} : Cell{},
            culprit(flow),
            ShortId{flow.operation_id},
            flow.firewall,
            flow.availability_zone};
}

/// Parses lines and writes the matching ones.
class LogOutput {
  public:
    LogOutput(const LogQuery& query, Writer& writer) : query_(query), writer_(writer) {
        writer_.begin({.list = "records", .live = query.follow});
    }

    [[nodiscard]] bool wants(std::string_view line) const {
        const auto flow = flowlog::parse_record(line);
        return flow && *flow && query_.flows.matches(**flow);
    }

    Result<void> show(std::string_view line) {
        const auto flow = flowlog::parse_record(line);
        if (!flow) return note_unreadable(flow.error());
        if (!*flow) return report_loss(line);
        if (!query_.flows.matches(**flow)) return {};
        ++matched_;
        return writer_.row([&](fmt::memory_buffer& out) { append_without_hidden(out, line); },
                           [&] { return log_cells(**flow); });
    }

    Result<void> send() { return writer_.flush(); }

    [[nodiscard]] std::uint64_t matched() const { return matched_; }

    [[nodiscard]] Result<ExitCode> finish(Result<void> read) {
        if (read) read = writer_.end();
        if (unreadable_ > 1) note(fmt::format("{} records in all could not be read", unreadable_));
        if (read = unless_unread(std::move(read)); !read) return tl::unexpected(std::move(read.error()));
        return matched_ == 0 && !query_.follow ? ExitCode::NothingMatched : ExitCode::Done;
    }

  private:
    Result<void> note_unreadable(const Error& error) {
        if (unreadable_++ == 0) {
            note(to_one_line(fmt::format("a record cannot be read, and is left out: {}", error.message)));
        }
        return {};
    }
    static Result<void> report_loss(std::string_view line) {
        const auto loss = flowlog::parse_loss(line);
        if (loss && !loss->empty()) warn(to_one_line(*loss));
        return {};
    }

    const LogQuery& query_;
    Writer& writer_;
    std::uint64_t matched_ = 0;
    std::uint64_t unreadable_ = 0;
};

bool has_time_passed(const LogQuery& query) {
    return query.flows.ends_before(kSystemClock.now());
}

/// Ctrl-C ends the wait early.
void wait_for_more() {
    static_cast<void>(::poll(nullptr, 0, kBetweenLooks));
}

Result<void> show_file(const std::filesystem::path& path, const LogQuery& query, LogOutput& output) {
    ASSIGN_OR_RETURN(auto file, flowlog::RecordFile::open(path));
    if (query.lines) {
        RETURN_IF_ERROR(file.go_to_last(*query.lines, [&](std::string_view line) { return output.wants(line); }));
    }
    const auto show_more = [&] {
        return file.read([&](std::string_view line) { return output.show(line); }).and_then([&] {
            return output.send();
        });
    };
    auto shown = show_more();
    while (shown && query.follow && !Interruption::requested() && !has_time_passed(query)) {
        wait_for_more();
        shown = show_more();
    }
    return shown;
}

Result<void> show_agent(gateway::EndedFlows& agent, const LogQuery& query, LogOutput& output) {
    gateway::EndedFlowQuery wanted{query.flows};
    wanted.latest = query.lines.value_or(flowlog::RecentFlowBuffer::kKept);
    wanted.follow = query.follow;
    wanted.is_over = [] { return Interruption::requested(); };
    auto sent = output.send().and_then([&] {
        return agent.for_each_ended(wanted, [&](std::string_view record) {
            auto shown = output.show(record);
            return shown && wanted.follow ? output.send() : shown;
        });
    });
    const bool ended_by_itself = sent && wanted.follow && !Interruption::requested() && !has_time_passed(query);
    return ended_by_itself ? failed("the agent has stopped") : sent;
}

/// Either a file or an agent.
struct LogSource {
    std::filesystem::path file;
    std::unique_ptr<gateway::Gateway> agent;

    [[nodiscard]] std::string name() const { return agent != nullptr ? "the agent" : file.native(); }
};

Result<LogSource> find_source(const GatewayArguments& gateway, const LogArguments& arguments) {
    if (arguments.file) return LogSource{*arguments.file, nullptr};
    ASSIGN_OR_RETURN(const auto configuration, gateway.load());
    if (gateway.socket) {
        ASSIGN_OR_RETURN(auto agent, gateway.reach_agent(configuration.http.socket));
        return LogSource{{}, std::move(agent)};
    }
    const auto file = configuration.flow_log.first_file();
    // The file has more records than an agent keeps, also those that arrive faster than a client reads.
    const bool is_there = file && ::access(file->c_str(), R_OK) == 0;
    if (is_there || (file && !arguments.follow)) return LogSource{*file, nullptr};
    auto agent = gateway.reach_agent(configuration.http.socket);
    if (agent && *agent) return LogSource{{}, std::move(*agent)};
    if (file) return LogSource{*file, nullptr};
    if (!agent) return tl::unexpected(std::move(agent.error()));
    return failed(
        "there is no flow log to read: no agent answers at {}, and the configuration has no sink that is a file "
        "(flow_log.sinks); start the agent, or name a file with --file",
        configuration.http.socket.native());
}

/// What an agent does not remember is left out.
void report_limit(const LogQuery& query, std::uint64_t shown) {
    if (query.follow || (query.lines && shown >= *query.lines)) return;
    note(fmt::format(
        "the agent remembers the {} flows that ended last; records of earlier ones are only in the sinks of its "
        "flow log",
        flowlog::RecentFlowBuffer::kKept));
}

Result<FlowOperation> find_operation(const GatewayArguments& gateway, const LogSource& source, std::string_view id) {
    if (source.agent != nullptr) return source.agent->operations().find(id);
    ASSIGN_OR_RETURN(const auto history, gateway.open_history());
    return history->operations().find(id);
}

/// Why no record of this operation was found.
std::string absence_text(const FlowOperation& operation, const LogSource& source, const LogQuery& query) {
    const auto& counts = operation.counts;
    if (operation.status == OperationStatus::InProgress)
        return fmt::format("operation {} is in progress", operation.id);
    const auto& kind = kind_of(operation.type);
    if (!kind.changes_flows) {
        return fmt::format("operation {} is a {}, which ends no flow", operation.id, kind.verb);
    }
    if (operation.dry_run) return fmt::format("operation {} was a dry run, and ended no flow", operation.id);
    if (counts.flushed == 0) return fmt::format("operation {} ended no flow", operation.id);
    flowlog::EndedFlowFilter of_operation;
    of_operation.operation_id = query.flows.operation_id;
    return fmt::format("operation {} ended {}: {} has no record of {}{}", operation.id, plural(counts.flushed, "flow"),
                       source.name(), counts.flushed == 1 ? "it" : "them",
                       query.flows == of_operation ? "" : " that matches");
}

void report_absence(const GatewayArguments& gateway, const LogSource& source, const LogQuery& query) {
    const auto& id = *query.flows.operation_id;
    const auto operation = find_operation(gateway, source, id);
    if (operation) return note(absence_text(*operation, source, query));
    const bool is_unknown = operation.error().kind == ErrorKind::NotFound;
    note(fmt::format("no record of operation {} in {}{}", id, source.name(),
                     is_unknown ? "; headgate operations list shows no such operation either" : ""));
}

Result<ExitCode> run_log(const GatewayArguments& gateway, const LogArguments& arguments, Writer& writer) {
    if (arguments.follow && arguments.output.waits_for_all()) {
        return invalid("--follow: never ends, so --sort and --count cannot be combined with it");
    }
    ASSIGN_OR_RETURN(const auto query, read_query(arguments));
    ASSIGN_OR_RETURN(const auto source, find_source(gateway, arguments));
    std::optional<Interruption> interruption;
    if (arguments.follow) interruption.emplace();
    LogOutput output{query, writer};
    auto code = output.finish(source.agent != nullptr ? show_agent(source.agent->ended_flows(), query, output)
                                                      : show_file(source.file, query, output));
    if (code && source.agent != nullptr) report_limit(query, output.matched());
    if (code != ExitCode::NothingMatched) return code;
    if (query.flows.operation_id) {
        report_absence(gateway, source, query);
    } else {
        note(fmt::format("no record of {} matches", source.name()));
    }
    return code;
}

}  // namespace

void add_log_command(CommandTree& tree) {
    auto& command = tree.add(tree.app(), "log", "Show flows that have ended, and why", run_log);
    add_examples(command, {
                              "headgate log --lines 20",
                              "headgate log --follow --reason flushed",
                              "headgate log -s 10.20.0.7 --dport https --sort bytes",
                              "headgate log --operation 4f7b2c1e --since 1h",
                          });
}

}  // namespace headgate::cli
