#include "gateway/rights.h"

namespace headgate::gateway {

std::string_view to_string(Role role) {
    switch (role) {
        case Role::Viewer:
            return "viewer";
        case Role::Operator:
            return "operator";
    }
    return "?";
}

}  // namespace headgate::gateway
