// What a gateway remembers of the lives before its own, from the end of the log (S30).
#include "tools/gateway/restart.hpp"

#include "tools/gateway/dedup_id.hpp"

#include <bobbin/memory_store.hpp>

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::gateway;
using namespace std::chrono_literals;

namespace {

// A log of openings and messages, each this long after the one before it.
class Log {
 public:
  Log& opening(Duration later) { return add(later, OpenedBody{}); }
  Log& message(Duration later) {
    EventInput input;
    input.event.name = "sms";
    input.event.position = {batch_.records.size() + 1, 0};
    input.event.dedup_id = occurrence_id(hash_fields({"text"}), batch_.records.size());
    AcceptedBody body;
    body.inputs.push_back(std::move(input));
    return add(later, std::move(body));
  }

  std::size_t remembered() const {
    const auto disk = MemoryDisk::create();
    if (!batch_.empty()) disk->open()->commit(batch_);
    Retransmission retransmission({}, [] { return 1; });
    return seed_after_restart(*disk->open(), {}, {}, {}, retransmission);
  }

 private:
  Log& add(Duration later, RecordBody body) {
    Record record;
    record.lsn = batch_.records.size() + 1;
    record.log_time = time_ += later;
    record.body = std::move(body);
    batch_.records.push_back(std::move(record));
    return *this;
  }

  LogTime time_{1'700'000'000s};
  Batch batch_;
};

}  // namespace

TEST_CASE("S30: what was accepted within 5 s before the death may be repeated") {
  CHECK(Log().opening(0s).message(1s).message(1s).remembered() == 2);
  CHECK(Log().opening(0s).message(1s).message(6s).remembered() == 1);
  CHECK(Log().remembered() == 0);
}

TEST_CASE("S30: a life too short for repetitions leaves those of the life before to the next") {
  CHECK(Log().opening(0s).message(1s).opening(1h).remembered() == 1);
  CHECK(Log().opening(0s).message(1s).opening(1h).opening(1s).remembered() == 1);
  CHECK(Log().opening(0s).message(1s).opening(1h).opening(1h).message(1s).remembered() == 1);
  CHECK(Log().opening(0s).message(1s).opening(1h).message(4s).remembered() == 2);
  CHECK(Log().opening(0s).message(1s).opening(1h).message(4s).message(6s).remembered() == 1);
}
