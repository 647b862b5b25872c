#include "tests/faults/fault_rig.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace bobbin::faults {

Faults::Faults(const std::filesystem::path& directory) {
  const auto name = place_.path() / "control";
  const int file = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(file >= 0);
  REQUIRE(::ftruncate(file, sizeof(FaultControl)) == 0);
  void* mapped = ::mmap(nullptr, sizeof(FaultControl), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  REQUIRE(mapped != MAP_FAILED);
  control_ = new (mapped) FaultControl;
  const auto whole = std::filesystem::canonical(directory).string();
  REQUIRE(whole.size() < sizeof control_->directory);
  whole.copy(control_->directory, whole.size());
  ::setenv(control_variable, name.c_str(), 1);
  ::setenv("LD_PRELOAD", BOBBIN_FAULTS_LIBRARY, 1);
}

Faults::~Faults() {
  ::unsetenv("LD_PRELOAD");
  ::unsetenv(control_variable);
  ::munmap(control_, sizeof(FaultControl));
}

void Faults::arm(Target target, Fault fault, std::uint64_t call, bool lasting) {
  disarm();
  control_->fault = fault;
  control_->lasting = lasting;
  control_->failing_call = call;
  control_->calls = 0;
  control_->failed = 0;
  control_->target = target;
}

}  // namespace bobbin::faults
