#include <iterator>
#include <optional>
#include <system_error>

#include "cli/flow_text.h"
#include "cli/flow_writer.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

namespace headgate::cli {
namespace {

std::vector<Column> flow_columns(OperationType type) {
    using enum Column::Align;
    std::vector<Column> columns{
        {"PROTOCOL", Left, 0},    {"SOURCE", Left, 0}, {"DESTINATION", Left, 0}, {"TRANSLATED", Left, 3},
        {"STATE", Left, 2},       {"AGE", Right, 4},   {"TIMEOUT", Right, 7},    {"BYTES", Right, 5},
        {"BYTES BACK", Right, 6}, {"MARK", Right, 8},  {"ZONE", Right, 9},
    };
    const auto when_empty = type == OperationType::Flush ? Column::WhenEmpty::Show : Column::WhenEmpty::LeaveOut;
    columns.push_back({"OUTCOME", Left, 0, when_empty});
    return columns;
}

/// The protocol's own state where it says more than ours.
std::string state_text(const Flow& flow) {
    const auto own = protocol_state_name(flow);
    const auto ours = to_string(state(flow));
    return own && *own != ours ? fmt::format("{} ({})", ours, *own) : std::string{ours};
}

std::string translated_text(const Flow& flow) {
    const FlowTuple after = translated(flow);
    if (after == flow.original) return {};
    return fmt::format("{} -> {}", source_text(after), destination_text(after));
}

std::string bytes_text(const std::optional<Counters>& counters) {
    return counters ? amount_text(counters->bytes) : std::string{};
}

std::string outcome_text(const FlowAnnotation& annotation) {
    if (!annotation.outcome) return {};
    const auto outcome = to_string(*annotation.outcome);
    if (annotation.error == 0) return std::string{outcome};
    return fmt::format("{}: {}", outcome, std::generic_category().message(annotation.error));
}

class TableWriter final : public FlowWriter {
  public:
    explicit TableWriter(OutputStream& out) : out_(out) {}

    Result<void> begin(const FlowOperation& operation) override {
        moment_ = moment_of(operation);
        dry_run_ = operation.dry_run;
        table_.emplace(flow_columns(operation.type), stdout_width(),
                       stdout_has_colour() ? TextTable::Colour::Yes : TextTable::Colour::No);
        return {};
    }

    Result<void> flow(const Flow& flow, const FlowAnnotation& annotation) override {
        const auto seconds = age(flow, moment_);
        table_->add(
            {
                std::string{to_string(flow.original.protocol)},
                source_text(flow.original),
                destination_text(flow.original),
                translated_text(flow),
                state_text(flow),
                seconds ? duration_text(*seconds) : "",
                flow.timeout ? duration_text(*flow.timeout) : "",
                bytes_text(flow.counters_original),
                bytes_text(flow.counters_reply),
                flow.mark.value_or(0) != 0 ? fmt::format("{:#x}", *flow.mark) : "",
                flow.zone != 0 ? fmt::format("{}", flow.zone) : "",
                dry_run_ && !annotation.outcome ? "would be flushed" : outcome_text(annotation),
            },
            out_.buffer());
        return out_.written();
    }

    Result<void> end(const FlowOperation& operation) override {
        auto& text = out_.buffer();
        table_->finish(text);
        const auto& counts = operation.counts;
        const auto to = std::back_inserter(text);
        fmt::format_to(to, "{} of {} flows match", counts.matched, counts.scanned);
        if (counts.closed != 0) {
            fmt::format_to(to, ", and beside them {} closed (--state ANY shows both)", counts.closed);
        }
        if (operation.type == OperationType::Flush) {
            if (operation.dry_run) {
                fmt::format_to(to, ": {} would be flushed, {} gone, {} protected (dry run)",
                               counts.matched - counts.gone - counts.failed - counts.protected_flows, counts.gone,
                               counts.protected_flows);
            } else {
                fmt::format_to(to, ": {} flushed, {} gone, {} failed, {} protected", counts.flushed, counts.gone,
                               counts.failed, counts.protected_flows);
            }
        }
        fmt::format_to(to, "\n");
        return out_.flush();
    }

  private:
    OutputStream& out_;
    std::optional<TextTable> table_;  ///< from begin() on
    bool dry_run_ = false;
    Moment moment_;
};

}  // namespace

std::unique_ptr<FlowWriter> make_table_writer(OutputStream& out) {
    return std::make_unique<TableWriter>(out);
}

}  // namespace headgate::cli
