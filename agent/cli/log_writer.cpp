#include "cli/log_writer.h"

#include "cli/flow_text.h"
#include "cli/text_table.h"
#include "flow/flow_json.h"

namespace headgate::cli {
namespace {

void append(OutputStream& out, std::string_view text) {
    out.buffer().append(text.data(), text.data() + text.size());
}

class NdjsonLogWriter final : public LogWriter {
  public:
    explicit NdjsonLogWriter(OutputStream& out) : out_(out) {}

    void record(std::string_view line, const flowlog::LoggedFlow& /*flow*/) override {
        append_without_hidden(out_.buffer(), line);
        append(out_, "\n");
    }

  private:
    OutputStream& out_;
};

class JsonLogWriter final : public LogWriter {
  public:
    explicit JsonLogWriter(OutputStream& out) : out_(out) {}

    void begin() override { append(out_, R"({"records":[)"); }
    void record(std::string_view line, const flowlog::LoggedFlow& /*flow*/) override {
        append(out_, first_ ? "\n" : ",\n");
        first_ = false;
        append_without_hidden(out_.buffer(), line);
    }
    void end() override { append(out_, "]}\n"); }

  private:
    OutputStream& out_;
    bool first_ = true;
};

std::string destination_of(const FlowTuple& tuple) {
    if (!is_icmp(tuple.protocol)) return destination_text(tuple);
    return fmt::format("{} type {} code {}", to_string(tuple.destination), tuple.icmp_type, tuple.icmp_code);
}

/// Who ended it.
std::string culprit(const flowlog::LoggedFlow& flow) {
    if (flow.port_id) {
        return flow.process.empty() ? fmt::format("port {}", *flow.port_id)
                                    : fmt::format("{} (port {})", flow.process, *flow.port_id);
    }
    return flow.user.empty() ? flow.operation_id : fmt::format("{} {}", flow.operation_id, flow.user);
}

std::vector<Column> columns(Column::WhenEmpty when_empty) {
    constexpr auto kLeft = Column::Align::Left;
    constexpr auto kRight = Column::Align::Right;
    constexpr std::size_t kEndpoint = std::string_view{"255.255.255.255:65535"}.size();
    return {{"TIME", kLeft, 5, when_empty, std::string_view{"2025-08-12T13:05:03.931841+0000"}.size()},
            {"PROTO", kLeft, 0, when_empty, std::string_view{"udplite"}.size()},
            {"SOURCE", kLeft, 0, when_empty, kEndpoint},
            {"DESTINATION", kLeft, 0, when_empty, kEndpoint},
            {"LAST STATE", kLeft, 0, when_empty, std::string_view{"ESTABLISHED"}.size()},
            {"REASON", kLeft, 0, when_empty, std::string_view{"flushed"}.size()},
            {"AGE", kRight, 3, when_empty, std::string_view{"59m59s"}.size()},
            {"PACKETS", kRight, 4, when_empty},
            {"BYTES", kRight, 2, when_empty},
            {"BY", kLeft, 1, when_empty}};
}

class TableLogWriter final : public LogWriter {
  public:
    TableLogWriter(OutputStream& out, Follow follow)
        : out_(out),
          follow_(follow),
          table_(TextTable::for_stdout(
              columns(follow == Follow::Yes ? Column::WhenEmpty::Show : Column::WhenEmpty::LeaveOut))) {}

    void begin() override {
        if (follow_ == Follow::Yes) table_.begin(out_.buffer());
    }
    void record(std::string_view /*line*/, const flowlog::LoggedFlow& flow) override {
        table_.add(
            {flow.ended_at, std::string{to_string(flow.tuple.protocol)}, source_text(flow.tuple),
             destination_of(flow.tuple), flow.last_state, flow.reason ? std::string{to_string(*flow.reason)} : "",
             flow.age ? duration_text(*flow.age) : "", flow.packets ? fmt::format("{}", *flow.packets) : "",
             flow.bytes ? amount_text(*flow.bytes) : "", culprit(flow)},
            out_.buffer());
    }
    void end() override { table_.finish(out_.buffer()); }

  private:
    OutputStream& out_;
    Follow follow_;
    TextTable table_;
};

}  // namespace

std::unique_ptr<LogWriter> make_log_writer(OutputFormat format, Follow follow, OutputStream& out) {
    switch (format) {
        case OutputFormat::Table:
            return std::make_unique<TableLogWriter>(out, follow);
        case OutputFormat::Ndjson:
            return std::make_unique<NdjsonLogWriter>(out);
        case OutputFormat::Json:
            break;
    }
    return std::make_unique<JsonLogWriter>(out);
}

}  // namespace headgate::cli
