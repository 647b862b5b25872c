// Records and states as JSON: what `--json` prints, and what the readable form is made from.
#pragma once

#include "tools/inspect/payload_json.hpp"

#include <bobbin/record.hpp>
#include <bobbin/state.hpp>

namespace bobbin::inspect {

// Members: lsn, kind, log_time, run, run_sequence, run_previous, and those of the kind; inputs and decisions are lists
// of objects with a member "kind".
Json record_json(const Record& record, PayloadDecoder& payloads);
Json state_json(const InstanceState& state);
Json ledger_json(const Ledger& ledger);

// A key as text, or as {"hex": ...} when it is none.
Json key_json(const std::string& key);

}  // namespace bobbin::inspect
