#include "http/aws/shape_reader.h"

#include <algorithm>

namespace headgate::http::aws {
namespace {

constexpr std::size_t kLongestName = 128;  ///< of an unknown member's name in an error

}  // namespace

void ShapeReader::optional_number(const std::string& name, std::int32_t& slot, std::int32_t lowest,
                                  std::int32_t highest) {
    if (!has(name)) return;
    std::int64_t number = slot;
    take(name, number, [&] { return read_number<std::int64_t>(object_, name); });
    if (number < lowest || number > highest) {
        return fail(name, invalid("{} is not a number from {} to {}", number, lowest, highest));
    }
    slot = static_cast<std::int32_t>(number);
}

Result<void> ShapeReader::finish() const {
    for (const auto& name : object_->getNames()) {
        if (object_->isNull(name) || std::ranges::find(known_, name) != known_.end()) continue;
        return invalid("{}{}: unknown; the members here are {}", path_, name.substr(0, kLongestName),
                       fmt::join(known_, ", "));
    }
    return result_;
}

void ShapeReader::know(const std::string& name) {
    if (std::ranges::find(known_, name) == known_.end()) known_.push_back(name);
}

void ShapeReader::fail(std::string_view name, Result<void> outcome) {
    if (!outcome) fail(tl::unexpected(std::move(outcome.error()).within(name)));
}

void ShapeReader::fail(tl::unexpected<Error> error) {
    if (!result_) return;
    error.value().message.insert(0, path_);
    result_ = std::move(error);
}

}  // namespace headgate::http::aws
