// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/capture_file.h"

#include <optional>
#include <vector>

#include "cli/json_objects.h"
#include "flow/flow_reader.h"
#include "operations/operation_fields.h"

namespace headgate::cli {
namespace {

constexpr std::size_t kRowsPerBlock = 256;

/// The role of an object in the file.
enum class Part : std::uint8_t { Row, Summary };

class CaptureReader {
  public:
    explicit CaptureReader(const CapturedRows& sink) : sink_(sink) {}

    Result<void> object(const std::string& text, bool inside_flows) {
        const auto parsed = parse_json_object(text);
        if (!parsed) return failed("entry {} is {}", rows_ + 1, parsed.error().message);
        const JsonObject& object = *parsed;
        if (summary_seen_) return failed("something follows the summary");
        const Part part = inside_flows || !object.has("operation_id") ? Part::Row : Part::Summary;
        return part == Part::Row ? row(object) : summary(object);
    }

    Result<CaptureFileFacts> finish() {
        if (rows_ == 0 && !summary_seen_) return failed("holds no flow and no summary of a capture");
        if (!block_.empty()) {
            RETURN_IF_ERROR(sink_(block_));
        }
        return CaptureFileFacts{captured_ == rows_, std::move(endpoint_)};
    }

  private:
    Result<void> row(const JsonObject& object) {
        ++rows_;
        if (object.has("verdict")) {
            return failed("flow {} was judged by a rematch: flush its flows by its id, so that the ruleset is compared",
                          rows_);
        }
        const auto flow = read_flow(object);
        if (!flow) return failed("flow {}: {}", rows_, flow.error().message);
        block_.push_back({*flow, {}});
        if (block_.size() < kRowsPerBlock) return {};
        auto passed = sink_(block_);
        block_.clear();
        return passed;
    }

    Result<void> summary(const JsonObject& object) {
        const auto type = object.text("type");
        if (type != "FLOW_CAPTURE")
            return failed("is not the result of a capture, but of {}", type.value_or("something else"));
        summary_seen_ = true;
        const auto matched = object.object("counts").and_then(
            [](const JsonObject& counts) { return counts.number<std::uint64_t>("matched"); });
        if (matched) captured_ = *matched;
        if (!object.has("firewall")) return {};
        const auto read = read_members(object, endpoint_.emplace());
        if (!read) return failed("its summary: {}", read.error().message);
        return {};
    }

    const CapturedRows& sink_;
    std::vector<FlowRow> block_;
    std::uint64_t rows_ = 0;
    std::optional<std::uint64_t> captured_;  ///< from the summary
    std::optional<Endpoint> endpoint_;       ///< likewise
    bool summary_seen_ = false;
};

/// RFC 3629, section 6. Text that begins with 0xEF but has no complete byte order mark is not UTF-8.
Result<void> skip_byte_order_mark(std::istream& text) {
    auto& bytes = *text.rdbuf();
    if (bytes.sgetc() != 0xEF) return {};
    for (const int byte : {0xEF, 0xBB, 0xBF})
        if (bytes.sbumpc() != byte) return failed("is not UTF-8");
    return {};
}

}  // namespace

Result<CaptureFileFacts> read_capture(std::istream& text, const CapturedRows& sink) {
    CaptureReader reader{sink};
    const auto pass_on = [&](const std::string& object, bool row) { return reader.object(object, row); };
    return skip_byte_order_mark(text)
        .and_then([&] { return split_json_objects(text, "flows", pass_on); })
        .and_then([&] { return reader.finish(); });
}

Result<CaptureFileFacts> read_capture_file(const std::string& path, const CapturedRows& sink,
                                           std::chrono::milliseconds patience) {
    ASSIGN_OR_RETURN(const auto input, PatientInput::open(path, patience));
    std::istream text{input.get()};
    auto end = read_capture(text, sink);
    if (const auto& fault = input->fault()) return tl::unexpected(*fault);
    if (!end) return tl::unexpected(std::move(end.error()).within(path));
    return end;
}

}  // namespace headgate::cli
