// The payloads that an input, or a whole record, holds.
#pragma once

#include "engine/base/overloaded.hpp"
#include "engine/fold/fold.hpp"

#include <bobbin/record.hpp>

#include <cstddef>

namespace bobbin {

// `use` gets each of them, the null ones too.
template <class F>
void for_each_payload(const Input& input, F use) {
  const auto of_event = [&](const Event& event) {
    use(event.value);
    use(event.start_input);
  };
  std::visit(Overload{
                 [&](const StartInput& start) {
                   use(start.input);
                   for (const auto& event : start.carried) of_event(event);
                 },
                 [&](const EventInput& event) { of_event(event.event); },
                 [&](const ActivityCompleted& done) { use(done.result); },
                 [](const auto&) {},
             },
             input);
}

template <class F>
void for_each_payload(const Record& record, F use) {
  for (const auto& input : inputs_of(record)) for_each_payload(input, use);
  if (const auto* turn = std::get_if<TurnBody>(&record.body)) {
    for (const auto& decision : turn->decisions)
      if (const auto* scheduled = std::get_if<ActivityScheduled>(&decision)) use(scheduled->input);
    if (turn->end) use(turn->end->result);
  }
  if (const auto* act = std::get_if<OperatorActBody>(&record.body)) use(act->result);
}

// Bytes of all payloads of an input or a record.
template <class T>
std::size_t payload_bytes(const T& holder) {
  std::size_t bytes = 0;
  for_each_payload(holder, [&bytes](const PayloadPtr& payload) { bytes += payload ? payload->bytes.size() : 0; });
  return bytes;
}

}  // namespace bobbin
