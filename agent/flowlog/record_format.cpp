// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/record_format.h"

#include "flowlog/aws_format.h"
#include "flowlog/eve_format.h"

namespace headgate::flowlog {

std::unique_ptr<RecordFormat> make_format(config::FlowLogFormat format) {
    switch (format) {
        case config::FlowLogFormat::Aws:
            return std::make_unique<AwsFormat>();
        case config::FlowLogFormat::Eve:
            break;
    }
    return std::make_unique<EveFormat>();
}

}  // namespace headgate::flowlog
