// The README's example, as a host would write it: real threads, a log on disk.
#include "tests/support/temporary_directory.hpp"

#include <bobbin/engine.hpp>
#include <bobbin/fields.hpp>
#include <bobbin/lmdb.hpp>

#include <doctest/doctest.h>

namespace {

struct Sms {
  std::string text;
};
struct SmsBatch {
  std::vector<Sms> messages;
};
struct Window {
  bobbin::Duration length = std::chrono::hours(1);
  std::uint32_t max_messages = 3;
};
struct Receipt {
  std::string text;
};

}  // namespace

template <>
struct bobbin::Fields<Sms> {
  static constexpr auto name = "readme.Sms";
  static constexpr auto fields = std::tuple(field<1>("text", &Sms::text));
};
template <>
struct bobbin::Fields<SmsBatch> {
  static constexpr auto name = "readme.SmsBatch";
  static constexpr auto fields = std::tuple(field<1>("messages", &SmsBatch::messages));
};
template <>
struct bobbin::Fields<Window> {
  static constexpr auto name = "readme.Window";
  static constexpr auto fields =
      std::tuple(field<1>("length", &Window::length), field<2>("max_messages", &Window::max_messages));
};
template <>
struct bobbin::Fields<Receipt> {
  static constexpr auto name = "readme.Receipt";
  static constexpr auto fields = std::tuple(field<1>("text", &Receipt::text));
};

namespace {

Receipt consolidate(bobbin::Context& ctx, const Window& window) {
  auto first = ctx.wait_for_event<Sms>("sms");
  auto closes = ctx.create_timer_at(first.accepted_at + window.length);
  std::vector<Sms> batch{first.value};
  while (batch.size() < window.max_messages) {
    auto sms = ctx.wait_for_event<Sms>("sms", closes);  // empty once the timer has fired
    if (!sms) break;
    batch.push_back(std::move(sms->value));
  }
  return ctx.call_activity<Receipt>("deliver", SmsBatch{std::move(batch)}, {.retry = {.max_attempts = 5}});
}

bobbin::Registry registry() {
  bobbin::Registry registry;
  registry.orchestrator("consolidate", consolidate);
  registry.activity("deliver", [](const bobbin::ActivityContext& ctx, const SmsBatch& batch) {
    Receipt receipt{ctx.idempotency_key.size() == 32 ? "delivered:" : "no key:"};
    for (const auto& sms : batch.messages) receipt.text += " " + sms.text;
    return receipt;
  });
  return registry;
}

}  // namespace

TEST_CASE("The README's example consolidates, also over a restart (P1, P2)") {
  const bobbin::testing::TemporaryDirectory directory;
  const bobbin::InstanceName sender{"consolidate", "+4917112345"};
  const Window window;
  {
    bobbin::Engine engine(bobbin::open_lmdb(directory.path()), registry());
    CHECK(engine.raise_event_with_start(sender, window, "sms", Sms{"one"}, {.dedup_id = "1"}).how ==
          bobbin::Acceptance::started);
    CHECK(engine.raise_event_with_start(sender, window, "sms", Sms{"two"}, {.dedup_id = "2"}).how ==
          bobbin::Acceptance::appended);
  }
  bobbin::Engine engine(bobbin::open_lmdb(directory.path()), registry());
  CHECK(engine.raise_event_with_start(sender, window, "sms", Sms{"two"}, {.dedup_id = "2"}).how ==
        bobbin::Acceptance::duplicate);
  engine.raise_event_with_start(sender, window, "sms", Sms{"three"}, {.dedup_id = "3"});
  const auto status = engine.wait(sender);
  CHECK(status.state.status == bobbin::RunStatus::completed);
  CHECK(bobbin::decode<Receipt>(status.result).text == "delivered: one two three");
}
