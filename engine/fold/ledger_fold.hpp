// The part of the fold that keeps the conservation ledger (P2, S14).
#pragma once

#include <bobbin/state.hpp>

namespace bobbin {

// `activity_letter`: an operator act's target is a failed activity. Returns whether anything changed.
bool fold_ledger(const Record& record, bool activity_letter, Ledger& ledger);

}  // namespace bobbin
