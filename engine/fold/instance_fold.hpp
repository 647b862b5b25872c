// The part of the fold that concerns one instance's row.
#pragma once

#include "engine/fold/fold.hpp"

namespace bobbin {

// `state` stands for the record before; dead letters that the record makes are created in `target`.
void fold_instance(const Record& record, InstanceState& state, FoldTarget& target);

}  // namespace bobbin
