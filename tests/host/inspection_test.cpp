// The inspection tool as an operator runs it, on a log that a host has written: Cap'n Proto, plain and byte payloads.
#include "tests/host/order.capnp.h"
#include "tests/support/temporary_directory.hpp"

#include <bobbin/capnp.hpp>
#include <bobbin/engine.hpp>
#include <bobbin/lmdb.hpp>
#include <bobbin/spdlog.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <fstream>
#include <sstream>

using namespace bobbin;
using bobbin::testing::TemporaryDirectory;
using nlohmann::json;

namespace {

struct Output {
  int status = 0;
  std::string text;
};

Output run_tool(const std::string& arguments) {
  FILE* pipe = popen((std::string(BOBBIN_TOOL) + " " + arguments + " 2>&1").c_str(), "r");
  REQUIRE(pipe);
  Output output;
  char bytes[4096];
  while (const auto size = std::fread(bytes, 1, sizeof bytes, pipe)) output.text.append(bytes, size);
  output.status = WEXITSTATUS(pclose(pipe));
  return output;
}

std::string place(Context& ctx, const Capnp<Order>& order) {
  auto note = ctx.wait_for_event<std::string>("note");
  return ctx.call_activity<std::string>("ship", order) + note.value;
}

Registry registry() {
  Registry registry;
  registry.orchestrator("place", place);
  registry.activity("ship", [](const ActivityContext&, const Capnp<Order>& order) {
    auto view = order.view();
    return std::to_string(view->getNumber()) + ":" + view->getItems()[1].getArticle().cStr();
  });
  return registry;
}

const InstanceName order_7{"place", "order-7"};

void write_log(const std::filesystem::path& directory) {
  Engine engine(open_lmdb(directory), registry());
  const Capnp<Order> order([](Order::Builder builder) {
    builder.setNumber(7);
    builder.setUrgency(Urgency::EXPRESS);
    auto items = builder.initItems(2);
    items[0].setArticle("pen");
    items[1].setArticle("ink");
  });
  engine.start(order_7, order);
  engine.raise_event(order_7, "note", std::string(" gift"));
  const auto status = engine.wait(order_7);
  CHECK(decode<std::string>(status.result) == "7:ink gift");
}

}  // namespace

TEST_CASE("bobbin ls, show, stats and verify tell what a host's log holds, every payload decoded") {
  const TemporaryDirectory directory;
  write_log(directory.path());
  const auto at = " --directory " + directory.path().string();

  const auto listed = json::parse(run_tool("ls --json" + at).text);
  CHECK(listed["orchestrator"] == "place");
  CHECK(listed["status"] == "completed");

  const auto shown = json::parse(run_tool("show --json place/order-7" + at).text);
  const auto& start = shown["records"][0]["inputs"][0];
  CHECK(start["input"]["number"] == "7");  // JSON of Cap'n Proto writes 64-bit numbers as strings
  CHECK(start["input"]["urgency"] == "express");
  CHECK(start["input"]["items"][1]["article"] == "ink");
  const auto readable = run_tool("show " + listed["id"].get<std::string>() + at).text;
  CHECK(readable.find("-> activity  ordinal=2  name=ship") != std::string::npos);
  CHECK(readable.find("value= gift") != std::string::npos);

  const auto stats = json::parse(run_tool("stats --json" + at).text);
  CHECK(stats["ledgers"][0]["consumed"] == 1);
  CHECK(stats["ledgers"][0]["balanced"] == true);
  const auto verified = run_tool("verify" + at);
  CHECK(verified.status == 0);
}

TEST_CASE("bobbin shows a run whose error and event names are not UTF-8") {
  const TemporaryDirectory directory;
  {
    Registry odd;
    odd.orchestrator("odd", [](Context& ctx, const Nothing&) -> Nothing {
      ctx.wait_for_event<Nothing>("caf\xe9");
      throw ApplicationError("odd", "na\xefve");
    });
    Engine engine(open_lmdb(directory.path()), std::move(odd));
    engine.start({"odd", "1"}, Nothing{});
    engine.raise_event({"odd", "1"}, "caf\xe9", Nothing{});
    CHECK(engine.wait({"odd", "1"}).state.error.message == "na\xefve");
  }
  const auto at = " odd/1 --directory " + directory.path().string();
  const auto shown = run_tool("show --json" + at);
  CAPTURE(shown.text);
  REQUIRE(shown.status == 0);
  CHECK(json::parse(shown.text)["instance"]["status"] == "failed");
  CHECK(run_tool("show" + at).status == 0);
}

TEST_CASE("bobbin reads beside the engine that owns the log, and says what is not there") {
  const TemporaryDirectory directory;
  Engine engine(open_lmdb(directory.path()), registry());
  engine.start(order_7, Capnp<Order>([](Order::Builder) {}));
  const auto at = " --directory " + directory.path().string();
  CHECK(json::parse(run_tool("ls --json" + at).text)["status"] == "running");
  CHECK(run_tool("show place/nobody" + at).status == 2);
  CHECK(run_tool("show --directory /nowhere place/nobody").status == 2);
}

TEST_CASE("bobbin verify finds a flipped byte in a record and names the record") {
  const TemporaryDirectory directory;
  write_log(directory.path());
  std::string bytes;
  const auto file = directory.path() / "data.mdb";
  {
    std::ifstream in(file, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::size_t flipped = 0;
  for (auto at = bytes.find(" gift"); at != std::string::npos; at = bytes.find(" gift", at + 1)) {
    bytes[at + 1] ^= 1;
    ++flipped;
  }
  REQUIRE(flipped > 0);
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto verified = run_tool("verify --directory " + directory.path().string());
  CAPTURE(verified.text);
  CHECK(verified.status != 0);
  CHECK(verified.text.find("checksum") != std::string::npos);
}

TEST_CASE("The engine's lines have the host's levels, and an orchestrator's are logged once") {
  std::ostringstream lines;
  auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(lines);
  auto logger = std::make_shared<spdlog::logger>("host", sink);
  logger->set_level(spdlog::level::debug);
  logger->set_pattern("%l %v");
  const auto log = log_to(logger);
  log(LogLevel::debug, "a");
  log(LogLevel::info, "b {}");
  log(LogLevel::warning, "c");
  log(LogLevel::error, "d");
  CHECK(lines.str() == "debug engine: a\ninfo engine: b {}\nwarning engine: c\nerror engine: d\n");

  lines.str({});
  const auto code = [logger] {
    Registry registry;
    registry.orchestrator("it", [logger](Context& ctx, const std::string&) {
      log_once(ctx, *logger, spdlog::level::info, "began {}", ctx.name().key);
      return ctx.wait_for_event<std::string>("e").value;
    });
    return registry;
  };
  const TemporaryDirectory directory;
  Engine(open_lmdb(directory.path()), code()).start({"it", "k"}, std::string());
  Engine engine(open_lmdb(directory.path()), code());
  engine.raise_event({"it", "k"}, "e", std::string("done"));
  CHECK(decode<std::string>(engine.wait({"it", "k"}).result) == "done");
  CHECK(lines.str() == "info began k\n");
}

TEST_CASE("The engine's lines reach the host's spdlog logger") {
  std::ostringstream lines;
  auto logger = std::make_shared<spdlog::logger>("host", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines));
  const TemporaryDirectory directory;
  {
    Engine engine(open_lmdb(directory.path()), registry());
    engine.start(order_7, Capnp<Order>([](Order::Builder) {}));
  }
  EngineOptions options;
  options.log = log_to(logger);
  {
    Engine engine(open_lmdb(directory.path()), Registry{}, options);
    engine.raise_event(order_7, "note", std::string("kept"));
    CHECK(engine.status(order_7).state.unread.size() == 1);
  }
  CHECK(lines.str().find("'place' is not registered") != std::string::npos);
}
