// SMS consolidation: the messages of one conversation within a window leave as one batch (S29).
#pragma once

#include <bobbin/registry.hpp>
#include <bobbin/workflows/sms.hpp>

#include <functional>
#include <string>

namespace bobbin::workflows {

inline constexpr auto sms_consolidation = "sms_consolidation";  // the orchestrator; start input SmsWindow
inline constexpr auto sms_event = "sms";                        // its events; value Sms
inline constexpr auto deliver_batch = "deliver_batch";          // the activity that the host registers

// Writes a batch's body. Part of the orchestrator's code: the same batch must give the same bytes.
using BatchWriter = std::function<std::string(const SmsBatch&)>;

// Windows are tumbling: one opens with the acceptance of its first message and closes after its length, or when it is
// full. Batches leave in order, one at a time; meanwhile the next window collects. A batch that fails for good is a
// dead letter, and the next one follows. A run serves up to 100 windows and ends when nothing waits; the host sends
// every message with raise_event_with_start, so the next one begins a new run.
void register_sms_consolidation(Registry& registry, BatchWriter write_body);

}  // namespace bobbin::workflows
