// When a replayed decision is the recorded one (S15).
#pragma once

#include <bobbin/record.hpp>

#include <string>

namespace bobbin {

enum class DecisionMatch { same, payload_differs, different };

// Kind, name and target decide; a different payload or option is told apart.
DecisionMatch match(const Decision& recorded, const Decision& found);
DecisionMatch match(const RunEnd& recorded, const RunEnd& found);

// For people: "activity 'deliver' (#7)".
std::string describe(const Decision& decision);
std::string describe(const RunEnd& end);

}  // namespace bobbin
