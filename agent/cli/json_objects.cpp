// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/json_objects.h"

#include <utility>

namespace headgate::cli {
namespace {

/// Bytes, far more than any row or summary of headgate needs (20 filters take 4 KiB): a longer one is not ours.
constexpr std::size_t kLongestObject = 64 * 1024;

class Splitter {
  public:
    Splitter(std::string_view rows_member, const ObjectSink& sink) : rows_member_(rows_member), sink_(sink) {}

    Result<void> feed(char c) {
        if (in_string_) return feed_string(c);
        switch (c) {
            case '"':
                in_string_ = true;
                string_.clear();
                return keep(c);
            case '{':
            case '[':
                return open(c);
            case '}':
            case ']':
                return close(c);
            default:
                return keep(c);
        }
    }

    [[nodiscard]] Result<void> finish() const {
        if (depth_ != 0) return failed("ends in the middle of an object");
        return {};
    }

  private:
    Result<void> feed_string(char c) {
        if (!std::exchange(escaped_, !escaped_ && c == '\\') && c == '"') in_string_ = false;
        if (in_string_ && string_.size() < kLongestObject) string_.push_back(c);
        return keep(c);
    }

    Result<void> open(char c) {
        if (c == '[' && depth_ == 1 && string_ == rows_member_) in_rows_ = true;
        const bool row_begins = c == '{' && in_rows_ && depth_ == 2;
        auto kept = row_begins ? begin_row() : keep(c);
        ++depth_;
        if (row_begins) row_.push_back(c);
        return kept;
    }

    Result<void> begin_row() {
        in_row_ = true;
        row_.clear();
        return {};
    }

    Result<void> close(char c) {
        if (depth_ == 0) return failed("\"{}\" closes nothing", c);
        auto kept = keep(c);
        --depth_;
        if (!kept) return kept;
        if (in_row_ && depth_ == 2) {
            in_row_ = false;
            return sink_(row_, true);
        }
        if (in_rows_ && depth_ == 1) in_rows_ = false;
        if (depth_ != 0) return {};
        auto passed = sink_(outer_, false);
        outer_.clear();
        return passed;
    }

    Result<void> keep(char c) {
        // Commas and white space between rows do not belong to the emptied array.
        const bool between_rows =
            in_rows_ && !in_row_ && depth_ == 2 && (c == ',' || c == ' ' || c == '\n' || c == '\t');
        if (in_rows_ && !in_row_ && depth_ == 2 && !between_rows && c != ']' && c != '\r') {
            return failed("has a \"{}\" that is not a list of objects", rows_member_);
        }
        const bool between_objects = depth_ == 0 && c != '{';
        if (between_objects && c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return failed("is not JSON as headgate writes it");
        if (between_rows || between_objects) return {};
        std::string& text = in_row_ ? row_ : outer_;
        if (text.size() >= kLongestObject) return failed("has an object longer than {} bytes", kLongestObject);
        text.push_back(c);
        return {};
    }

    std::string_view rows_member_;
    const ObjectSink& sink_;
    std::string outer_, row_, string_;
    int depth_ = 0;
    bool in_string_ = false, escaped_ = false, in_rows_ = false, in_row_ = false;
};

}  // namespace

Result<void> split_json_objects(std::istream& in, std::string_view rows_member, const ObjectSink& sink) {
    Splitter splitter{rows_member, sink};
    for (int c = in.rdbuf()->sbumpc(); c != std::char_traits<char>::eof(); c = in.rdbuf()->sbumpc()) {
        RETURN_IF_ERROR(splitter.feed(static_cast<char>(c)));
    }
    return splitter.finish();
}

}  // namespace headgate::cli
