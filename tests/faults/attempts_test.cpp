// A real host killed with SIGKILL while its activities run (S21 to S23).
#include "tests/faults/host_process.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tools/gateway/boot_time.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <sstream>

namespace bobbin::faults {

namespace {

using std::chrono::milliseconds;

struct Attempt {
  std::string activity;
  int number = 0;
  std::string key;
};

Attempt next_attempt(HostProcess& host, const std::string& activity = {}) {
  std::istringstream words(host.hear("attempt " + activity));
  std::string word;
  Attempt attempt;
  words >> word >> attempt.activity >> attempt.number >> attempt.key;
  return attempt;
}

}  // namespace

TEST_CASE("S21, S22: an attempt cut by SIGKILL is repeated at once under its key, and uses up no retry") {
  const testing::TemporaryDirectory directory;
  auto host = std::make_unique<HostProcess>(directory.path(), milliseconds(1));
  host->tell("start k");
  const auto first = next_attempt(*host);
  CHECK(first.number == 1);
  for (int death = 1; death <= 4; ++death) {
    host.reset();
    host = std::make_unique<HostProcess>(directory.path(), milliseconds(1));
    const auto again = next_attempt(*host);
    CHECK(again.number == death + 1);
    CHECK(again.key == first.key);
  }
  // Two attempts are allowed, and five were cut: the first that fails is still tried again.
  host->tell("fail k");
  const auto retried = next_attempt(*host);
  CHECK(retried.number == 6);
  CHECK(retried.key == first.key);
  host->tell("failures k");
  CHECK(host->hear("failures k") == "failures k 1");
  host->tell("fail k");
  CHECK(host->hear("ended k") == "ended k failed");
}

TEST_CASE("S21: many activities cut at once all run again, each under its own key, and end once") {
  const testing::TemporaryDirectory directory;
  auto host = std::make_unique<HostProcess>(directory.path(), milliseconds(1));
  constexpr int activities = 8, deaths = 3;
  std::map<std::string, std::string> keys;
  for (int i = 0; i < activities; ++i) host->tell("start k" + std::to_string(i));
  for (int death = 0; death <= deaths; ++death) {
    std::map<std::string, std::string> seen;
    for (int i = 0; i < activities; ++i) {
      const auto attempt = next_attempt(*host);
      CHECK(attempt.number == death + 1);
      CHECK(seen.emplace(attempt.activity, attempt.key).second);
    }
    if (death == 0) keys = seen;
    CHECK(seen == keys);
    if (death == deaths) break;
    host.reset();
    host = std::make_unique<HostProcess>(directory.path(), milliseconds(1));
  }
  for (int i = 0; i < activities; ++i) {
    const auto key = "k" + std::to_string(i);
    host->tell("ok " + key);
    CHECK(host->hear("ended " + key) == "ended " + key + " completed");
  }
  // Nothing of it runs again, and a new activity has a key of its own.
  host.reset();
  host = std::make_unique<HostProcess>(directory.path(), milliseconds(1));
  host->tell("start new");
  const auto fresh = next_attempt(*host);
  CHECK(fresh.activity == "new");
  CHECK(fresh.number == 1);
  for (const auto& [name, key] : keys) CHECK(key != fresh.key);
}

TEST_CASE("S23: the delay before a retry survives SIGKILL") {
  const testing::TemporaryDirectory directory;
  constexpr milliseconds delay{1'500};
  auto host = std::make_unique<HostProcess>(directory.path(), delay);
  host->tell("start k");
  const auto first = next_attempt(*host);
  const auto failed_at = boot_time();
  host->tell("fail k");
  do {
    host->tell("failures k");  // answered from durable state
  } while (host->hear("failures k") != "failures k 1");
  host.reset();
  host = std::make_unique<HostProcess>(directory.path(), delay);
  host->tell("start other");  // is attempted at once: the engine works
  CHECK(next_attempt(*host).activity == "other");
  const auto retried = next_attempt(*host, "k ");
  CHECK(boot_time() - failed_at >= delay);
  CHECK(retried.key == first.key);
  CHECK(retried.number == 3);  // one recorded failure, one opening
  host->tell("ok k");
  CHECK(host->hear("ended k") == "ended k completed");
}

}  // namespace bobbin::faults
