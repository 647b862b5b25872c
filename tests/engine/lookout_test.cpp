#include "engine/runtime/lookout.hpp"

#include <doctest/doctest.h>

namespace {

using bobbin::Lookout;

const auto never = Lookout::Clock::time_point::max();

// Calls that look for an answer which never comes, of so many.
int looks(Lookout& lookout, int calls, Lookout::Clock::time_point deadline = never) {
  int looked = 0;
  for (int i = 0; i < calls; ++i) {
    bool has_looked = false;
    Lookout::Caller(lookout).look_for(
        [&] {
          has_looked = true;
          return false;
        },
        deadline);
    looked += has_looked;
  }
  return looked;
}

void answer_at_once(Lookout& lookout, int calls) {
  for (int i = 0; i < calls; ++i) Lookout::Caller(lookout).look_for([] { return true; }, never);
}

}  // namespace

TEST_CASE("a lone caller looks out, until answers have come too late a few times") {
  Lookout lookout(true);
  CHECK(looks(lookout, 4) == 4);
  CHECK(looks(lookout, 15) == 0);
  CHECK(looks(lookout, 1) == 1);  // another try
  CHECK(looks(lookout, 15) == 0);
  answer_at_once(lookout, 1);  // the next try
  CHECK(looks(lookout, 2) == 1);
}

TEST_CASE("a caller that looks out returns once it is answered") {
  Lookout lookout(true);
  int looked = 0;
  Lookout::Caller(lookout).look_for([&looked] { return ++looked == 3; }, never);
  CHECK(looked <= 3);
  answer_at_once(lookout, 100);
  CHECK(looks(lookout, 1) == 1);
}

TEST_CASE("a deadline that comes first says nothing of how long answers take") {
  Lookout lookout(true);
  CHECK(looks(lookout, 100, Lookout::Clock::time_point::min()) == 100);
  CHECK(looks(lookout, 4) == 4);
}

TEST_CASE("of several blocked callers none looks out, nor on a single processor") {
  Lookout lookout(true);
  {
    const Lookout::Caller another(lookout);
    CHECK(looks(lookout, 10) == 0);
  }
  CHECK(looks(lookout, 1) == 1);
  Lookout single(false);
  CHECK(looks(single, 10) == 0);
}
