#include "cli/flow_writer.h"

#include "operations/operation_json.h"
#include "operations/results_json.h"

namespace headgate::cli {
namespace {

class JsonWriter final : public FlowWriter {
  public:
    explicit JsonWriter(OutputStream& out) : out_(out) {}

    Result<void> begin(const FlowOperation& operation) override {
        document_.begin(out_.buffer(), operation);
        return {};
    }

    Result<void> flow(const Flow& flow, const FlowAnnotation& annotation) override {
        document_.flow(out_.buffer(), flow, annotation);
        return out_.written();
    }

    Result<void> end(const FlowOperation& operation) override {
        document_.end(out_.buffer(), operation);
        return out_.flush();
    }

  private:
    OutputStream& out_;
    operations::ResultsJson document_;
};

/// A flow a line, the summary last.
class NdjsonWriter final : public FlowWriter {
  public:
    explicit NdjsonWriter(OutputStream& out) : out_(out) {}

    Result<void> begin(const FlowOperation& operation) override {
        moment_ = moment_of(operation);
        return {};
    }

    Result<void> flow(const Flow& flow, const FlowAnnotation& annotation) override {
        append_flow_json(out_.buffer(), flow, moment_, annotation);
        out_.buffer().push_back('\n');
        return out_.written();
    }

    Result<void> end(const FlowOperation& operation) override {
        operations::append_operation_json(out_.buffer(), operation);
        out_.buffer().push_back('\n');
        return out_.flush();
    }

  private:
    OutputStream& out_;
    Moment moment_;
};

}  // namespace

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
