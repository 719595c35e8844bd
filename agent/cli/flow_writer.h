// Writes an operation and its flows to stdout. Each command is written once, against this; formats are its back ends.
#pragma once

#include <memory>
#include <string_view>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "cli/output_stream.h"
#include "flow/flow_json.h"

namespace headgate::cli {
enum class OutputFormat : std::uint8_t { Table, Json, Ndjson };
}  // namespace headgate::cli

template <>
inline constexpr auto headgate::kNames<headgate::cli::OutputFormat> = headgate::name_list("table", "json", "ndjson");

namespace headgate::cli {

/// begin, then each flow, then end. Rows are sent as they come: none is held, except a table's first page.
class FlowWriter {
  public:
    virtual ~FlowWriter() = default;
    virtual Result<void> begin(const FlowOperation& operation) = 0;
    virtual Result<void> flow(const Flow& flow, const FlowAnnotation& annotation) = 0;
    virtual Result<void> end(const FlowOperation& operation) = 0;
};

[[nodiscard]] std::unique_ptr<FlowWriter> make_flow_writer(OutputFormat format, OutputStream& out);

[[nodiscard]] std::unique_ptr<FlowWriter> make_json_writer(OutputStream& out);
[[nodiscard]] std::unique_ptr<FlowWriter> make_ndjson_writer(OutputStream& out);
[[nodiscard]] std::unique_ptr<FlowWriter> make_table_writer(OutputStream& out);

}  // namespace headgate::cli
