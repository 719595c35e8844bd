#include "headgate/stream_exception_policy.h"

namespace headgate {

std::string_view to_string(StreamException exception) {
    switch (exception) {
        case StreamException::Drop:
            return "drop";
        case StreamException::Reject:
            return "reject";
        case StreamException::Continue:
            return "continue";
    }
    return "";
}

std::string_view to_string(MidstreamScope scope) {
    switch (scope) {
        case MidstreamScope::All:
            return "all";
        case MidstreamScope::Flushed:
            return "flushed";
    }
    return "";
}

std::string_view to_string(Hook hook) {
    switch (hook) {
        case Hook::Forward:
            return "forward";
        case Hook::Input:
            return "input";
        case Hook::Output:
            return "output";
    }
    return "";
}

}  // namespace headgate
