// What a gateway learns from the lives before its own: which messages its peers may repeat (S30).
#pragma once

#include "tools/gateway/lives.hpp"
#include "tools/gateway/retransmission.hpp"

#include <bobbin/store.hpp>

#include <cstddef>
#include <vector>

namespace bobbin::gateway {

// Reads the log's end backwards, as far as messages accepted shortly before a death go, and tells the filter of them. A
// life too short for its peers to repeat everything leaves the rest of their time to the next one: the death before it
// counts, too. All
// is told by elapsed time (S4), so no step of the wall clock matters. `lives`: those that ended, in the order of time;
// if it is empty, the last life is taken to have died with its last record. Returns how many it remembered. To be
// called before an engine owns the store.
std::size_t seed_after_restart(Store& store, const std::vector<Life>& lives, Retransmission::Time restarted_at,
                               const RetransmissionOptions& options, Retransmission& retransmission);

}  // namespace bobbin::gateway
