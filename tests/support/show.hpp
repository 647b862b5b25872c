// Every member of a value as text: two values are equal when their texts are.
#pragma once

#include <bobbin/state.hpp>

#include <string>

namespace bobbin::testing {

std::string show(const Record& record);
std::string show(const InstanceState& state);
std::string show(const Ledger& ledger);
std::string show(const DeadLetter& letter);
std::string show(const DedupEntry& entry);

}  // namespace bobbin::testing
