// Runs that history is purged of, and what must hold afterwards. For the tests of S28.
#pragma once

#include "tests/support/world.hpp"

#include <string>

namespace bobbin::testing {

// "pair" ends with its second event, "refuse" at once or with its first, "call" with its activity.
void register_purged(Registry& registry);

// History goes after an hour, rows are written soon.
EngineOptions purging_options();

InstanceName pair_of(int number);

// Records that have nothing to do with any other, until the rows of all others are written.
void move_on(World& world, int records = 200);

// As often as history may go again.
void let_pass(World& world, Duration time);

std::size_t records_of(World& world, const InstanceName& name);

bool has_row(World& world, const InstanceName& name);

// Verified, purged stretches joined, ledgers balanced.
void check_sound(World& world);

}  // namespace bobbin::testing
