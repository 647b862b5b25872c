#include "tests/faults/fault_rig.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

namespace bobbin::faults {

namespace {

std::vector<drill::Variable> variables(const std::filesystem::path& control) {
  std::vector<drill::Variable> all{{control_variable, control}, drill::preloaded(BOBBIN_FAULTS_LIBRARY)};
  // AddressSanitizer refuses libraries before its own unless told that it is meant; this one intercepts no memory
  // function.
#if defined(__SANITIZE_ADDRESS__)
  const char* options = std::getenv("ASAN_OPTIONS");
  all.push_back({"ASAN_OPTIONS", (options ? options : "") + std::string(":verify_asan_link_order=0")});
#endif
  return all;
}

}  // namespace

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
  environment_.emplace(variables(name));
}

Faults::~Faults() {
  environment_.reset();
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
