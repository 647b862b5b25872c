// What a gateway learns from the lives before its own: which messages its peers may repeat (S30).
#pragma once

#include "tools/gateway/lives.hpp"
#include "tools/gateway/repetitions.hpp"
#include "tools/gateway/retransmission.hpp"

#include <bobbin/store.hpp>

#include <cstddef>
#include <vector>

namespace bobbin::gateway {

// What the processes before it left besides the log.
struct Past {
  std::vector<Life> lives;  // those that ended, in the order of time; empty: the last died with its last record
  std::vector<Repetition> repetitions;  // in the order of time
};

// Reads the log's end, as far as messages accepted shortly before a death go, and tells the filter of them. Each
// message counts by the last time that it came: a repetition that was taken for one, not just before a death, leaves
// nothing more to come. A life too short for its peers to repeat everything leaves the rest of their time to the next
// one: the death before it counts, too. All is told by elapsed time (S4), so no step of the wall clock matters. Returns
// how many it remembered. To be called before an engine owns the store.
std::size_t seed_after_restart(Store& store, const Past& past, Retransmission::Time restarted_at,
                               const RetransmissionOptions& options, Retransmission& retransmission);

}  // namespace bobbin::gateway
