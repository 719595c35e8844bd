#include "http/aws/shape_reader.h"

namespace headgate::http::aws {

void ShapeReader::optional_number(const std::string& name, std::int32_t& slot, std::int32_t lowest,
                                  std::int32_t highest) {
    if (!has(name)) return;
    std::int64_t number = slot;
    take(number, [&] { return read_number<std::int64_t>(object_, name); });
    if (number < lowest || number > highest) {
        return fail(name, invalid("{} is not a number from {} to {}", number, lowest, highest));
    }
    slot = static_cast<std::int32_t>(number);
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
