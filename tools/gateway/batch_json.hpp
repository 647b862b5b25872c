// The body of a delivered batch.
#pragma once

#include <bobbin/workflows/sms.hpp>

#include <string>

namespace bobbin::gateway {

// One JSON object: from, to, the window's bounds and what closed it, and each message with its id and acceptance time.
// Times are microseconds since 1970 (UTC). The same batch gives the same bytes; README.md lists the members.
std::string batch_json(const workflows::SmsBatch& batch);

}  // namespace bobbin::gateway
