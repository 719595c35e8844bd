#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "cli/commands.h"
#include "cli/flow_text.h"
#include "cli/interruption.h"
#include "cli/terminal.h"
#include "midstream/policy_library.h"
#include "operations/capture_file.h"
#include "operations/flush.h"
#include "operations/ssh_session.h"

namespace headgate::cli {
namespace {

constexpr std::size_t kRowsInQuestion = 10;

void show_preview(const operations::FlushPreview& preview) {
    const auto shown = preview.first_rows.first(std::min(preview.first_rows.size(), kRowsInQuestion));
    for (const auto& row : shown)
        write_to_stderr(fmt::format("  {}\n", one_line(row.flow)));
    if (preview.matched > shown.size()) {
        write_to_stderr(fmt::format("  ... and {} more\n", preview.matched - shown.size()));
    }
    if (preview.protected_flows != 0) {
        write_to_stderr(fmt::format("{} of them are protected and will be left alone\n", preview.protected_flows));
    }
    write_to_stderr(fmt::format("stream exception policy: {}\n", preview.stream_exception_policy));
    for (const auto& warning : preview.warnings)
        write_to_stderr(fmt::format("warning: {}\n", warning));
}

class FlushOutput final : public operations::FlushObserver {
  public:
    FlushOutput(FlowWriter& writer, const FlushArguments& arguments) : writer_(writer), arguments_(arguments) {}

    void planned(std::string_view plan) override {
        if (arguments_.explain) tell(fmt::format("plan: {}", plan));
    }

    Result<void> progressed(std::uint64_t scanned) override {
        progress_.show("flows looked at:", scanned);
        if (Interruption::requested()) return failed("interrupted: nothing was flushed");
        return {};
    }

    Result<void> confirm(const operations::FlushPreview& preview) override {
        progress_.clear();
        if (arguments_.yes) return {};
        if (!can_ask()) {
            return refused("{} flows match; without a terminal to ask on, a flush takes --yes: nothing was flushed",
                           preview.matched);
        }
        show_preview(preview);
        if (ask(fmt::format("Flush {} flows?", preview.matched - preview.protected_flows))) return {};
        return refused("not confirmed: nothing was flushed");
    }

    [[nodiscard]] bool stop_requested() const override { return Interruption::requested(); }

    void begun(const FlowOperation& operation) override {
        progress_.clear();
        note(writer_.begin(operation));
    }

    void ended(const FlowEnding& ending) override {
        ++ended_;
        if (!stdout_width()) progress_.show("flows ended:", ended_);  // rows on the terminal show it themselves
        note(writer_.flow(ending.flow, {ending.outcome, ending.error}));
    }

    void would_end(const Flow& flow) override { note(writer_.flow(flow, {})); }

    void finish() { progress_.clear(); }

    /// What went wrong with the output meanwhile. A flush that was agreed to is not left half done for that.
    [[nodiscard]] const Result<void>& written() const noexcept { return written_; }

  private:
    void note(Result<void> written) {
        if (written_ && !written) written_ = std::move(written);
    }

    FlowWriter& writer_;
    const FlushArguments& arguments_;
    Progress progress_;
    Result<void> written_;
    std::uint64_t ended_ = 0;
};

/// The flows of a capture file, each of which must be in the endpoint's reach.
operations::RowSource captured_flows(const std::string& path, std::optional<std::uint16_t> zone) {
    return [path, zone](const auto& take) -> Result<void> {
        const auto end = operations::read_capture_file(path, [&](std::span<const FlowRow> rows) -> Result<void> {
            const auto stray =
                std::ranges::find_if(rows, [&](const FlowRow& row) { return zone && row.flow.zone != *zone; });
            if (stray == rows.end()) return take(rows);
            return refused("{}: a flow of conntrack zone {}, and the endpoint is zone {}: nothing was flushed", path,
                           stray->flow.zone, *zone);
        });
        if (!end) return tl::unexpected(end.error());
        if (*end == operations::CaptureFileEnd::Part) {
            tell(fmt::format("warning: {} holds a part of its capture: picked from it, or cut short", path));
        }
        return {};
    };
}

/// The operator's own session, and what the configuration says.
std::vector<FlowFilter> protected_filters(const config::Configuration& configuration) {
    auto filters = operations::find_ssh_sessions();
    std::ranges::copy(configuration.protected_filters, std::back_inserter(filters));
    return filters;
}

Result<operations::FlushRequest> flush_request(const FlushArguments& arguments, const ChosenEndpoint& endpoint) {
    operations::FlushRequest request;
    request.dry_run = arguments.dry_run;
    if (arguments.maximum_flows) {
        auto maximum = parse_count("--max-flows", *arguments.maximum_flows);
        if (!maximum) return tl::unexpected(std::move(maximum.error()));
        request.maximum_flows = *maximum;
    }
    request.policy.required = arguments.require_policy;
    if (arguments.stream_exception_policy) {
        auto wanted = midstream::find_policy(*arguments.stream_exception_policy, midstream::policy_folders());
        if (!wanted) return tl::unexpected(std::move(wanted.error()).within("--stream-exception-policy"));
        request.policy.wanted = std::move(*wanted);
    }
    request.endpoint = endpoint.endpoint();
    if (!arguments.include_protected) request.protected_filters = protected_filters(endpoint.configuration());
    if (arguments.from_capture) {
        if (arguments.filter.given())
            return invalid("--from-capture: the capture names the flows; no filter beside it");
        request.captured = captured_flows(*arguments.from_capture, endpoint.conntrack_zone());
        return request;
    }
    auto query = arguments.filter.query();
    if (!query) return tl::unexpected(std::move(query.error()));
    if (auto narrowed = endpoint.narrow(*query); !narrowed) return tl::unexpected(std::move(narrowed.error()));
    request.query = std::move(*query);
    return request;
}

}  // namespace

Result<ExitCode> run_flush_command(const FlushArguments& arguments) {
    const auto endpoint = arguments.endpoint.choose();
    if (!endpoint) return tl::unexpected(endpoint.error());
    const auto request = flush_request(arguments, *endpoint);
    if (!request) return tl::unexpected(request.error());
    const auto format = arguments.output.format();
    if (!format) return tl::unexpected(format.error());
    const auto table = endpoint->open_table();
    if (!table) return tl::unexpected(table.error());
    const auto ruleset = endpoint->open_ruleset();
    if (!ruleset) return tl::unexpected(ruleset.error());

    OutputStream out{STDOUT_FILENO};
    const auto writer = make_flow_writer(*format, out);
    FlushOutput output{*writer, arguments};
    const Interruption interruption;
    const auto operation = operations::run_flush(**table, **ruleset, SystemClock{}, *request, output);
    output.finish();
    if (!operation) return tl::unexpected(operation.error());
    const auto ended = writer->end(*operation);
    tell_caveats(*operation);
    if (const auto spared = operation->counts.protected_flows; spared != 0) {
        tell(
            fmt::format("{} protected flow{} left alone: your SSH session, or what the configuration protects "
                        "(--include-protected ends them too)",
                        spared, spared == 1 ? "" : "s"));
    }
    if (!operation->detail.empty()) tell(operation->detail);
    for (const auto& written : {output.written(), ended}) {
        if (!written && written.error().number != EPIPE) return tl::unexpected(written.error());
    }
    return exit_code(*operation);
}

}  // namespace headgate::cli
