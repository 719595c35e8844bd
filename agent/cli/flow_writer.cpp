#include "cli/flow_writer.h"

#include "operations/operation_json.h"

namespace headgate::cli {
namespace {

void append(OutputStream& out, std::string_view text) {
    out.buffer().append(text.data(), text.data() + text.size());
}

/// One document; each flow on a line of its own, so that people can look at it, too.
class JsonWriter final : public FlowWriter {
  public:
    explicit JsonWriter(OutputStream& out) : out_(out) {}

    Result<void> begin(const FlowOperation& operation) override {
        now_ = operation.requested_at;
        append(out_, "{");
        operations::append_request_members(out_.buffer(), operation);
        append(out_, ",\n\"flows\":[");
        return {};
    }

    Result<void> flow(const Flow& flow, const FlowAnnotation& annotation) override {
        append(out_, first_ ? "\n" : ",\n");
        first_ = false;
        append_flow_json(out_.buffer(), flow, now_, annotation);
        return out_.written();
    }

    Result<void> end(const FlowOperation& operation) override {
        append(out_, first_ ? "]" : "\n]");
        operations::append_result_members(out_.buffer(), operation);
        append(out_, "}\n");
        return out_.flush();
    }

  private:
    OutputStream& out_;
    Timestamp now_{};
    bool first_ = true;
};

/// A flow a line, the summary last.
class NdjsonWriter final : public FlowWriter {
  public:
    explicit NdjsonWriter(OutputStream& out) : out_(out) {}

    Result<void> begin(const FlowOperation& operation) override {
        now_ = operation.requested_at;
        return {};
    }

    Result<void> flow(const Flow& flow, const FlowAnnotation& annotation) override {
        append_flow_json(out_.buffer(), flow, now_, annotation);
        append(out_, "\n");
        return out_.written();
    }

    Result<void> end(const FlowOperation& operation) override {
        append(out_, "{");
        operations::append_request_members(out_.buffer(), operation);
        operations::append_result_members(out_.buffer(), operation);
        append(out_, "}\n");
        return out_.flush();
    }

  private:
    OutputStream& out_;
    Timestamp now_{};
};

}  // namespace

Result<OutputFormat> parse_output_format(std::string_view text) {
    if (text == "table") return OutputFormat::Table;
    if (text == "json") return OutputFormat::Json;
    if (text == "ndjson") return OutputFormat::Ndjson;
    return invalid("\"{}\" is none of table, json and ndjson", text);
}

std::unique_ptr<FlowWriter> make_json_writer(OutputStream& out) {
    return std::make_unique<JsonWriter>(out);
}

std::unique_ptr<FlowWriter> make_ndjson_writer(OutputStream& out) {
    return std::make_unique<NdjsonWriter>(out);
}

std::unique_ptr<FlowWriter> make_flow_writer(OutputFormat format, OutputStream& out) {
    switch (format) {
        case OutputFormat::Table:
            return make_table_writer(out);
        case OutputFormat::Json:
            return make_json_writer(out);
        case OutputFormat::Ndjson:
            return make_ndjson_writer(out);
    }
    return nullptr;
}

}  // namespace headgate::cli
