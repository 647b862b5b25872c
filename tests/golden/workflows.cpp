#include "tests/golden/workflows.hpp"

namespace bobbin::golden {

namespace {

using Text = std::string;
using namespace std::chrono_literals;

// Messages until the window closes or is full; then one delivery.
Receipt gather(Context& ctx, const Window& window) {
  Batch batch;
  {
    auto closes = ctx.create_timer(window.length);
    while (batch.messages.size() < window.messages_max) {
      auto message = ctx.wait_for_event<Sms>("sms", closes);
      if (!message) break;
      batch.messages.push_back(std::move(message->value));
    }
  }  // cancels the timer if it has not fired
  ActivityOptions options;
  options.retry = {3, 2s, 1.5, 30s, 0.25, 1h, {"Refused", "Unknown"}};
  return ctx.call_activity<Receipt>("deliver", batch, options);
}

Capnp<Parcel> ship(Context& ctx, const Capnp<Parcel>& parcel) {
  ActivityOptions options;
  options.retry.max_attempts = 2;
  return ctx.call_activity<Capnp<Parcel>>("stamp", parcel, options);
}

// An activity against an event: whichever is first, the rest is cancelled.
Text race(Context& ctx, const Text& input) {
  auto slow = ctx.schedule_activity<Text>("slow", input);
  auto stop = ctx.expect_event<Text>("stop");
  auto never = ctx.expect_event<Text>("never");
  const auto first = ctx.when_any({&slow, &stop});
  never.cancel();
  slow.cancel();
  return first == 0 ? slow.get() : "stopped: " + stop.get().value;
}

// Takes nothing while its input says so.
Text refuse(Context& ctx, const Text& input) {
  return input == "refuse" ? Text("took nothing") : ctx.wait_for_event<Text>("e").value;
}

// One event "end", whose value says how to end; it leaves all others unread.
Text linger(Context& ctx, const Text& input) {
  const auto how = ctx.wait_for_event<Text>("end").value;
  if (how == "fail") throw ApplicationError("Asked", "told to fail");
  return input + "/" + how;
}

// A failure is kept for an operator.
Text call(Context& ctx, const Text& input) {
  ActivityOptions options;
  options.dead_letter_on_failure = true;
  ctx.wait_for_event<Text>("go");
  try {
    return ctx.call_activity<Text>("do", input, options);
  } catch (const ApplicationError& error) {
    return "without: " + error.info().message;
  }
}

void nap(Context& ctx, const Nothing&) { ctx.create_timer(1s).wait(); }

// Takes events "e" and does `activity` with each, until one says "stop".
Text versioned(Context& ctx, const char* activity) {
  Text log;
  for (;;) {
    const auto value = ctx.wait_for_event<Text>("e").value;
    if (value == "stop") return log;
    log += ctx.call_activity<Text>(activity, value);
  }
}

}  // namespace

void register_workflows(Registry& registry, bool changed) {
  registry.orchestrator("gather", gather);
  registry.orchestrator("ship", ship);
  registry.orchestrator("race", race);
  registry.orchestrator("refuse", refuse);
  registry.orchestrator("linger", linger);
  registry.orchestrator("call", call);
  registry.orchestrator("nap", nap);
  registry.orchestrator("steps", [](Context& ctx, const Text&) { return versioned(ctx, "old"); });
  registry.orchestrator("versioned",
                        [changed](Context& ctx, const Text&) { return versioned(ctx, changed ? "new" : "old"); });
  registry.activity("deliver", [](const ActivityContext&, const Batch& batch) {
    Receipt receipt{batch.messages.size(), {}};
    for (const auto& message : batch.messages) receipt.parts.push_back(-static_cast<int>(message.part));
    return receipt;
  });
  registry.activity("stamp",
                    [](const ActivityContext&, const Capnp<Parcel>& in) { return parcel(in.view()->getNumber() + 1); });
  for (const auto* name : {"slow", "do", "old", "new"})
    registry.activity(name, [](const ActivityContext&, const Text& value) { return "<" + value + ">"; });
}

Sms sms(const Text& text) {
  Sms sms;
  sms.text = text;
  sms.part = static_cast<std::uint32_t>(text.size());
  sms.offset = -5'000'000'000;
  sms.weight = 0.125;
  sms.urgent = true;
  sms.sent = LogTime(1'699'999'999'123'456us);
  sms.length = -250ms;
  sms.colour = Colour::blue;
  if (text.size() % 2 == 0) sms.note = "an even one";
  sms.tags = {"a", "\xc3\xa4\xe2\x82\xac", ""};
  sms.place = {"Linz", 48.25};
  sms.route = {{"Graz", 47.0625}, {"\x01\xff", -1e300}};
  return sms;
}

Capnp<Parcel> parcel(std::uint64_t number) {
  return Capnp<Parcel>([number](Parcel::Builder out) {
    out.setNumber(number);
    if (number == 0) return;  // all members as they are by default
    out.setShelf(-7);
    out.setWeight(2.75);
    out.setRatio(-0.25F);
    out.setFragile(number % 2 == 0);
    out.setUrgency(Urgency::OVERNIGHT);
    out.setLabel("to \xc3\x96sterreich \"A\"");
    out.setImage(kj::arrayPtr(reinterpret_cast<const capnp::byte*>("\x00\x7f\xff"), 3));
    auto items = out.initItems(3);
    items[0].setArticle("pen");
    items[1].setCount(12);
    items[2].setArticle("ink");
    items[2].setCount(0);
    auto codes = out.initCodes(3);
    codes.set(0, 1);
    codes.set(2, 65535);
    auto flags = out.initFlags(10);
    flags.set(0, true);
    flags.set(9, true);
    auto names = out.initNames(2);
    names.set(0, "one");
    if (number % 3 == 1) {
      out.initPickUp().setArticle("key");
    } else if (number % 3 == 2) {
      auto street = out.initStreet();
      street.setName("Ring");
      street.setHouse(14);
    }
    out.setBalance(-9'007'199'254'740'993);
    auto matrix = out.initMatrix(2);
    matrix.init(0, 2).set(1, -1);
    matrix.init(1, 1).set(0, 2);
    auto urgencies = out.initUrgencies(2);
    urgencies.set(1, Urgency::EXPRESS);
  });
}

}  // namespace bobbin::golden
