#include "headgate/ruleset.h"

namespace headgate {

std::string_view to_string(PacketDirection direction) {
    switch (direction) {
        case PacketDirection::Original:
            return "original";
        case PacketDirection::Reply:
            return "reply";
        case PacketDirection::Any:
            return "any";
    }
    return {};
}

std::string_view to_string(RulesetCondition condition) {
    switch (condition) {
        case RulesetCondition::NothingApplied:
            return "none";
        case RulesetCondition::AsApplied:
            return "as_applied";
        case RulesetCondition::Changed:
            return "changed";
        case RulesetCondition::Missing:
            return "missing";
        case RulesetCondition::Unverified:
            return "unverified";
    }
    return {};
}

}  // namespace headgate
