// Writes records of ended flows to stdout, in the form that was asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "cli/flow_writer.h"
#include "cli/output_stream.h"
#include "flowlog/record_reader.h"

namespace headgate::cli {

enum class Follow : std::uint8_t { No, Yes };

/// begin, then each record, then end.
class LogWriter {
  public:
    virtual ~LogWriter() = default;
    virtual void begin() {}
    virtual void record(std::string_view line, const flowlog::LoggedFlow& flow) = 0;
    virtual void end() {}
};

/// Writes into the stream's buffer: the caller sends it. Who follows is shown each record at once, in a table of
/// columns that keep their width.
[[nodiscard]] std::unique_ptr<LogWriter> make_log_writer(OutputFormat format, Follow follow, OutputStream& out);

}  // namespace headgate::cli
