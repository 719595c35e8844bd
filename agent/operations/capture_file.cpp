#include "operations/capture_file.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <vector>

#include "flow/flow_json.h"
#include "operations/json_objects.h"

namespace headgate::operations {
namespace {

using Object = Poco::JSON::Object::Ptr;

constexpr std::size_t kRowsPerBlock = 256;

template <typename T>
Result<T> read_number(const Object& object, const std::string& name) {
    const auto value = object->get(name);
    if (value.isEmpty()) return invalid("{}: missing", name);
    try {
        if (value.isInteger() && !value.isBoolean()) return value.convert<T>();
    } catch (const Poco::Exception&) {
        return invalid("{}: out of range", name);
    }
    return invalid("{}: not a whole number", name);
}

template <typename T>
Result<void> take_number(const Object& object, const std::string& name, T& slot) {
    return read_number<T>(object, name).map([&](T number) { slot = number; });
}

template <typename T>
std::optional<T> optional_number(const Object& object, const std::string& name) {
    const auto number = read_number<T>(object, name);
    return number ? std::optional<T>{*number} : std::nullopt;
}

Result<std::string> read_text(const Object& object, const std::string& name) {
    const auto value = object->get(name);
    if (value.isEmpty()) return invalid("{}: missing", name);
    if (!value.isString()) return invalid("{}: not a text", name);
    return value.convert<std::string>();
}

/// A text member that `parse` makes something of.
template <typename T>
Result<void> take_parsed(const Object& object, const std::string& name, T& slot, Result<T> (*parse)(std::string_view)) {
    const auto text = read_text(object, name);
    if (!text) return tl::unexpected(text.error());
    auto value = parse(*text);
    if (!value) return tl::unexpected(std::move(value.error()).within(name));
    slot = *value;
    return {};
}

/// What stands in place of ports, by protocol.
Result<void> take_transport(const Object& object, FlowTuple& tuple) {
    const bool gre = tuple.protocol == Protocol::Gre;
    if (has_ports(tuple.protocol) || gre) {
        return take_number(object, gre ? "source_key" : "source_port", tuple.source_port).and_then([&] {
            return take_number(object, gre ? "destination_key" : "destination_port", tuple.destination_port);
        });
    }
    if (!is_icmp(tuple.protocol)) return {};
    return take_number(object, "icmp_type", tuple.icmp_type)
        .and_then([&] { return take_number(object, "icmp_code", tuple.icmp_code); })
        .and_then([&] { return take_number(object, "icmp_id", tuple.icmp_id); });
}

Result<FlowTuple> read_tuple(const Object& object, Protocol protocol) {
    FlowTuple tuple;
    tuple.protocol = protocol;
    auto read = take_parsed(object, "source", tuple.source, parse_address)
                    .and_then([&] { return take_parsed(object, "destination", tuple.destination, parse_address); })
                    .and_then([&] { return take_transport(object, tuple); });
    if (!read) return tl::unexpected(std::move(read.error()));
    if (tuple.source.family != tuple.destination.family) return invalid("destination: not of the source's family");
    return tuple;
}

std::uint32_t read_status(const Object& object) {
    std::uint32_t status = 0;
    const auto names = object->getArray("status");
    for (std::size_t i = 0; !names.isNull() && i < names->size(); ++i) {
        const auto name = names->get(static_cast<unsigned>(i));
        for (unsigned bit = 0; name.isString() && bit < kStatusBits; ++bit) {
            if (name.extract<std::string>() == status_name(bit)) status |= 1U << bit;
        }
    }
    return status;
}

std::optional<Counters> read_counters(const Object& object, const std::string& suffix) {
    const auto packets = optional_number<std::uint64_t>(object, "packets" + suffix);
    const auto bytes = optional_number<std::uint64_t>(object, "bytes" + suffix);
    return packets && bytes ? std::optional{Counters{*packets, *bytes}} : std::nullopt;
}

/// What is not needed to find the flow again, but is told of it should it be gone.
void take_description(const Object& object, Flow& flow) {
    flow.status = read_status(object);
    if (const auto seconds = optional_number<std::uint32_t>(object, "timeout_seconds")) {
        flow.timeout = std::chrono::seconds{*seconds};
    }
    if (const auto name = read_text(object, "protocol_state")) {
        flow.protocol_state = parse_protocol_state(flow.original.protocol, *name);
    }
    flow.counters_original = read_counters(object, "");
    flow.counters_reply = read_counters(object, "_reply");
    flow.mark = optional_number<std::uint32_t>(object, "mark");
}

Result<void> take_zone_direction(const Object& object, Flow& flow) {
    if (!object->has("zone_direction")) return {};
    const auto direction = read_text(object, "zone_direction");
    if (direction == "original") {
        flow.zone_direction = ZoneDirection::Original;
    } else if (direction == "reply") {
        flow.zone_direction = ZoneDirection::Reply;
    } else {
        return invalid("zone_direction: neither original nor reply");
    }
    return {};
}

Result<void> take_start(const Object& object, Flow& flow) {
    if (!object->has("started_at")) return {};
    return take_parsed(object, "started_at", flow.started.emplace(), parse_rfc3339);
}

/// A GRE tuple's keys are the call ids of the two directions and other protocols swap their ports: either way the
/// translated tuple is the reply's, swapped.
Result<void> take_reply(const Object& object, Flow& flow) {
    flow.reply = swapped(flow.original);
    if (!object->has("translated")) return {};
    const auto inner = object->getObject("translated");
    if (!inner) return invalid("translated: not an object");
    const auto after = read_tuple(inner, flow.original.protocol);
    if (!after) return tl::unexpected(Error{after.error()}.within("translated"));
    flow.reply = swapped(*after);
    return {};
}

Result<FlowRow> read_row(const Object& object) {
    FlowRow row;
    Flow& flow = row.flow;
    Protocol protocol{};
    if (auto taken = take_parsed(object, "protocol", protocol, parse_protocol); !taken) {
        return tl::unexpected(std::move(taken.error()));
    }
    const auto original = read_tuple(object, protocol);
    if (!original) return tl::unexpected(original.error());
    flow.original = *original;
    auto read = take_number(object, "id", flow.id)
                    .and_then([&] { return take_number(object, "zone", flow.zone); })
                    .and_then([&] { return take_zone_direction(object, flow); })
                    .and_then([&] { return take_start(object, flow); })
                    .and_then([&] { return take_reply(object, flow); });
    if (!read) return tl::unexpected(std::move(read.error()));
    take_description(object, flow);
    return row;
}

/// What an object of the file is.
enum class Part : std::uint8_t { Row, Summary };

class Reader {
  public:
    explicit Reader(const CapturedRows& take) : take_(take) {}

    Result<void> object(const std::string& text, bool inside_flows) {
        Object object;
        try {
            object = Poco::JSON::Parser{}.parse(text).extract<Object>();
        } catch (const Poco::Exception&) {
            return failed("entry {} is not valid JSON", rows_ + 1);
        }
        if (summary_seen_) return failed("something follows the summary");
        const Part part = inside_flows || !object->has("operation_id") ? Part::Row : Part::Summary;
        return part == Part::Row ? row(object) : summary(object);
    }

    Result<CaptureFileEnd> finish() {
        if (rows_ == 0 && !summary_seen_) return failed("holds no flow and no summary of a capture");
        if (!block_.empty()) {
            if (auto taken = take_(block_); !taken) return tl::unexpected(std::move(taken.error()));
        }
        return captured_ == rows_ ? CaptureFileEnd::Whole : CaptureFileEnd::Part;
    }

  private:
    Result<void> row(const Object& object) {
        ++rows_;
        auto row = read_row(object);
        if (!row) return failed("flow {}: {}", rows_, row.error().message);
        block_.push_back(*row);
        if (block_.size() < kRowsPerBlock) return {};
        auto taken = take_(block_);
        block_.clear();
        return taken;
    }

    Result<void> summary(const Object& object) {
        const auto type = read_text(object, "type");
        if (type != "FLOW_CAPTURE")
            return failed("is not the result of a capture, but of {}", type.value_or("something else"));
        summary_seen_ = true;
        if (const auto counts = object->getObject("counts")) {
            captured_ = optional_number<std::uint64_t>(counts, "matched");
        }
        return {};
    }

    const CapturedRows& take_;
    std::vector<FlowRow> block_;
    std::uint64_t rows_ = 0;
    std::optional<std::uint64_t> captured_;  ///< by the summary
    bool summary_seen_ = false;
};

}  // namespace

Result<CaptureFileEnd> read_capture(std::istream& text, const CapturedRows& take) {
    Reader reader{take};
    return split_json_objects(text, "flows",
                              [&](const std::string& object, bool row) { return reader.object(object, row); })
        .and_then([&] { return reader.finish(); });
}

Result<CaptureFileEnd> read_capture_file(const std::string& path, const CapturedRows& take) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return system_error(errno, path);
    if (S_ISDIR(facts.st_mode)) return system_error(EISDIR, path);
    errno = 0;
    std::ifstream file{path, std::ios::binary};
    if (!file) return system_error(errno, path);
    auto end = read_capture(file, take);
    if (!end) return tl::unexpected(std::move(end.error()).within(path));
    return end;
}

}  // namespace headgate::operations
