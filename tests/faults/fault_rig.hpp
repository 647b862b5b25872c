// A gateway process with the preload library before it.
#pragma once

#include "tests/drill/process_rig.hpp"
#include "tests/faults/fault_control.hpp"
#include "tools/drill/child_environment.hpp"

#include <optional>

namespace bobbin::faults {

// Each process started while it lives has the library before it.
class Faults {
 public:
  // Of the log in `directory`.
  explicit Faults(const std::filesystem::path& directory);
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  // From now on the call with this number, counted from 1, fails; and all later ones if `lasting`.
  void arm(Target target, Fault fault, std::uint64_t call, bool lasting);
  void disarm() { control_->target = Target::none; }
  std::uint64_t calls() const { return control_->calls; }
  std::uint64_t failed() const { return control_->failed; }
  void shift_wall_clock(std::chrono::microseconds offset) { control_->wall_offset_us = offset.count(); }

 private:
  testing::TemporaryDirectory place_;
  FaultControl* control_ = nullptr;
  std::optional<drill::ChildEnvironment> environment_;
};

inline bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace bobbin::faults
