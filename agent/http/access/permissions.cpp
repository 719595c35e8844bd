#include "http/access/permissions.h"

namespace headgate::http::access {

std::string_view to_string(Role role) {
    switch (role) {
        case Role::Viewer:
            return "viewer";
        case Role::Operator:
            return "operator";
    }
    return "?";
}

}  // namespace headgate::http::access
