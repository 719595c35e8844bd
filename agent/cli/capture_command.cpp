#include <unistd.h>

#include <cerrno>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "operations/capture.h"

namespace headgate::cli {
namespace {

class CaptureOutput final : public operations::CaptureObserver {
  public:
    CaptureOutput(FlowWriter& writer, bool explain) : writer_(writer), explain_(explain) {}

    void planned(std::string_view plan) override {
        if (explain_) tell(fmt::format("plan: {}", plan));
    }
    Result<void> progressed(std::uint64_t scanned) override {
        progress_.show("flows looked at:", scanned);
        return {};
    }
    Result<void> begun(const FlowOperation& operation) override { return writer_.begin(operation); }
    Result<void> matched(std::span<const FlowRow> rows) override {
        progress_.clear();  // rows may go to the same terminal
        for (const auto& row : rows) {
            if (auto written = writer_.flow(row.flow, {}); !written) return written;
        }
        return {};
    }

  private:
    FlowWriter& writer_;
    bool explain_;
    Progress progress_;
};

/// A capture changes nothing and needs no policy: that it cannot be read is told, and no more.
std::string policy_in_force(const ChosenEndpoint& endpoint) {
    const auto ruleset = endpoint.open_ruleset();
    if (!ruleset) return "none";
    const auto policy = (*ruleset)->in_force();
    if (!policy && policy.error().number != EPERM) tell(fmt::format("warning: {}", policy.error().message));
    return policy && *policy ? (*policy)->name : "none";
}

}  // namespace

Result<ExitCode> run_capture_command(const CaptureArguments& arguments) {
    auto query = arguments.filter.query();
    if (!query) return tl::unexpected(query.error());
    const auto format = arguments.output.format();
    if (!format) return tl::unexpected(format.error());
    const auto endpoint = arguments.endpoint.choose();
    if (!endpoint) return tl::unexpected(endpoint.error());
    if (auto narrowed = endpoint->narrow(*query); !narrowed) return tl::unexpected(std::move(narrowed.error()));
    const auto table = endpoint->open_table();
    if (!table) return tl::unexpected(table.error());

    OutputStream out{STDOUT_FILENO};
    const auto writer = make_flow_writer(*format, out);
    CaptureOutput output{*writer, arguments.explain};
    const operations::CaptureRequest request{*query, endpoint->endpoint(), policy_in_force(*endpoint)};
    const auto operation = operations::run_capture(**table, SystemClock{}, request, output);
    if (!operation) {
        if (operation.error().number == EPIPE) return ExitCode::Done;  // the reader has seen enough
        return tl::unexpected(operation.error());
    }
    if (const auto ended = writer->end(*operation); !ended && ended.error().number != EPIPE) {
        return tl::unexpected(ended.error());
    }
    tell_caveats(*operation);
    return exit_code(*operation);
}

void tell_caveats(const FlowOperation& operation) {
    for (const auto& warning : operation.warnings)
        tell(fmt::format("warning: {}", warning));
    if (const auto count = operation.counts.age_unknown; count != 0) {
        tell(
            fmt::format("warning: {} flow{} left out: made before net.netfilter.nf_conntrack_timestamp was 1, so the "
                        "kernel does not know the age",
                        count, count == 1 ? "" : "s"));
    }
    if (const auto count = operation.counts.bytes_unknown; count != 0) {
        tell(
            fmt::format("warning: {} flow{} left out: made before net.netfilter.nf_conntrack_acct was 1, so the kernel "
                        "did not count the bytes",
                        count, count == 1 ? "" : "s"));
    }
    if (operation.restarts != 0) {
        tell(fmt::format("the table was resized during the scan, which was repeated {} time{}", operation.restarts,
                         operation.restarts == 1 ? "" : "s"));
    }
}

}  // namespace headgate::cli
