#include "cli/log_command.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>

#include <CLI/App.hpp>

#include "cli/interruption.h"
#include "cli/log_writer.h"
#include "cli/output_stream.h"
#include "cli/terminal.h"
#include "config/printable.h"
#include "flowlog/record_file.h"
#include "flowlog/record_reader.h"

namespace headgate::cli {
namespace {

constexpr std::uint64_t kLinesBeforeFollowing = 10;
constexpr std::uint64_t kMostOfAgent = 1000;  // that it is asked for where nobody says
constexpr int kBetweenLooks = 250;            // milliseconds, at a file that is followed

/// Which records are shown.
struct LogQuery {
    std::vector<EndReason> reasons;
    std::vector<FlowFilter> filters;
    std::optional<std::string> firewall;
    std::optional<std::uint64_t> lines;
    Follow follow = Follow::No;

    [[nodiscard]] bool matches(const flowlog::LoggedFlow& flow) const {
        const auto is_one_of = [&](EndReason reason) { return flow.reason == reason; };
        const auto matched_by = [&](const FlowFilter& filter) { return filter.matches(flow.tuple); };
        return (reasons.empty() || std::ranges::any_of(reasons, is_one_of)) &&
               (filters.empty() || std::ranges::any_of(filters, matched_by)) &&
               (!firewall || *firewall == flow.firewall);
    }
};

Result<LogQuery> read_query(const LogArguments& arguments) {
    LogQuery query;
    const bool all = std::ranges::find(arguments.reasons, "all") != arguments.reasons.end();
    for (const auto& text : arguments.reasons) {
        if (all) break;
        auto reason = parse_name_in_any_case<EndReason>(text);
        if (!reason) return tl::unexpected(std::move(reason.error()).within("--reason"));
        query.reasons.push_back(*reason);
    }
    auto filters = arguments.filter.read();
    if (!filters) return tl::unexpected(std::move(filters.error()));
    query.filters = std::move(*filters);
    query.firewall = arguments.firewall;
    query.follow = arguments.follow ? Follow::Yes : Follow::No;
    if (arguments.lines) {
        const auto lines = parse_count("--lines", *arguments.lines);
        if (!lines) return tl::unexpected(lines.error());
        query.lines = *lines;
    } else if (arguments.follow) {
        query.lines = kLinesBeforeFollowing;
    }
    return query;
}

/// Takes lines, and writes those that match.
class LogOutput {
  public:
    LogOutput(const LogQuery& query, OutputFormat format)
        : query_(query), writer_(make_log_writer(format, query.follow, out_)) {
        writer_->begin();
    }

    [[nodiscard]] bool wants(std::string_view line) const {
        const auto flow = flowlog::parse_record(line);
        return flow && *flow && query_.matches(**flow);
    }

    Result<void> take(std::string_view line) {
        const auto flow = flowlog::parse_record(line);
        if (!flow) return note_unreadable(flow.error());
        if (!*flow) return tell_loss(line);
        if (!query_.matches(**flow)) return {};
        ++matched_;
        writer_->record(line, **flow);
        return out_.written();
    }

    Result<void> send() { return out_.flush(); }

    [[nodiscard]] Result<ExitCode> finish(Result<void> read) {
        if (read) {
            writer_->end();
            read = out_.flush();
        }
        if (unreadable_ > 1) tell(fmt::format("{} records in all could not be read", unreadable_));
        const bool nobody_reads = !read && read.error().number == EPIPE;
        if (!read && !nobody_reads) return tl::unexpected(std::move(read.error()));
        return matched_ == 0 && query_.follow == Follow::No ? ExitCode::NothingMatched : ExitCode::Done;
    }

  private:
    Result<void> note_unreadable(const Error& error) {
        if (unreadable_++ == 0) {
            tell(config::to_one_line(fmt::format("a record cannot be read, and is left out: {}", error.message)));
        }
        return {};
    }
    static Result<void> tell_loss(std::string_view line) {
        const auto loss = flowlog::parse_loss(line);
        if (loss && !loss->empty()) tell(config::to_one_line(fmt::format("warning: {}", *loss)));
        return {};
    }

    const LogQuery& query_;
    OutputStream out_{STDOUT_FILENO};
    std::unique_ptr<LogWriter> writer_;
    std::uint64_t matched_ = 0;
    std::uint64_t unreadable_ = 0;
};

/// Ctrl-C ends it before.
void wait_for_more() {
    static_cast<void>(::poll(nullptr, 0, kBetweenLooks));
}

Result<void> show_file(const std::filesystem::path& path, const LogQuery& query, LogOutput& output) {
    auto file = flowlog::RecordFile::open(path);
    if (!file) return tl::unexpected(std::move(file.error()));
    if (query.lines) {
        auto gone = file->go_to_last(*query.lines, [&](std::string_view line) { return output.wants(line); });
        if (!gone) return gone;
    }
    const auto show_more = [&] {
        return file->read([&](std::string_view line) { return output.take(line); }).and_then([&] {
            return output.send();
        });
    };
    auto shown = show_more();
    while (shown && query.follow == Follow::Yes && !Interruption::requested()) {
        wait_for_more();
        shown = show_more();
    }
    return shown;
}

Result<void> show_agent(gateway::Gateway& agent, const LogQuery& query, LogOutput& output) {
    gateway::EndedFlowQuery wanted;
    wanted.reasons = query.reasons;
    wanted.filters = query.filters;
    if (query.firewall) wanted.firewalls = {*query.firewall};
    wanted.latest = query.lines.value_or(kMostOfAgent);
    wanted.follow = query.follow == Follow::Yes;
    wanted.is_over = [] { return Interruption::requested(); };
    auto told = output.send().and_then([&] {
        return agent.for_each_ended(wanted, [&](std::string_view record) {
            auto taken = output.take(record);
            return taken && wanted.follow ? output.send() : taken;
        });
    });
    const bool ended_by_itself = told && wanted.follow && !Interruption::requested();
    return ended_by_itself ? failed("the agent has stopped") : told;
}

/// Either a file or an agent.
struct LogSource {
    std::filesystem::path file;
    std::unique_ptr<gateway::Gateway> agent;
};

std::optional<std::filesystem::path> first_file(const config::FlowLog& log) {
    for (const auto& sink : log.sinks)
        if (sink.file) return sink.file;
    return std::nullopt;
}

Result<LogSource> find_source(const LogArguments& arguments) {
    if (arguments.file) return LogSource{*arguments.file, nullptr};
    const auto configuration = arguments.gateway.load();
    if (!configuration) return tl::unexpected(configuration.error());
    const auto file = first_file(configuration->flow_log);
    // It has more than an agent remembers, and what comes faster than anybody reads.
    const bool is_there = file && ::access(file->c_str(), R_OK) == 0;
    if (is_there || (file && !arguments.follow)) return LogSource{*file, nullptr};
    auto agent = arguments.gateway.reach_agent(configuration->http.socket);
    if (agent && *agent) return LogSource{{}, std::move(*agent)};
    if (file) return LogSource{*file, nullptr};
    if (!agent) return tl::unexpected(std::move(agent.error()));
    return failed(
        "there is no flow log to read: no agent answers at {}, and the configuration has no sink that is a file "
        "(flow_log.sinks); start the agent, or name a file with --file",
        configuration->http.socket.native());
}

}  // namespace

void LogArguments::add_to(CLI::App& command) {
    command.add_flag("--follow", follow, "go on with the flows that end from now on, until Ctrl-C");
    command.add_option("--reason", reasons, "flushed, closed, timeout or evicted; may be repeated. all: as without it")
        ->type_name("REASON")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command.add_option("--firewall", firewall, "flows of this firewall alone")->type_name("NAME");
    command
        .add_option("--lines", lines,
                    fmt::format("the last N that match; without it, all of them, or {} before --follow goes on",
                                kLinesBeforeFollowing))
        ->type_name("N");
    command
        .add_option("--file", file, "the flow log, in place of the first file in the configuration's flow_log.sinks")
        ->type_name("FILE");
    filter.add_to(command);
    output.add_to(command);
}

Result<ExitCode> run_log_command(const LogArguments& arguments) {
    const auto query = read_query(arguments);
    if (!query) return tl::unexpected(query.error());
    const auto format = arguments.output.format();
    if (!format) return tl::unexpected(format.error());
    const auto source = find_source(arguments);
    if (!source) return tl::unexpected(source.error());
    std::optional<Interruption> interruption;
    if (arguments.follow) interruption.emplace();
    LogOutput output{*query, *format};
    return output.finish(source->agent != nullptr ? show_agent(*source->agent, *query, output)
                                                  : show_file(source->file, *query, output));
}

}  // namespace headgate::cli
