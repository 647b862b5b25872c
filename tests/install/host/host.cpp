// As little as a host can be: one orchestrator, one activity, a log in the directory that is its argument.
#include <bobbin/engine.hpp>
#include <bobbin/fields.hpp>
#include <bobbin/lmdb.hpp>
#include <bobbin/workflows/sms_consolidation.hpp>

#include <iostream>
#include <string>

struct Guest {
  std::string name;
};
template <>
struct bobbin::Fields<Guest> {
  static constexpr auto name = "host.Guest";
  static constexpr auto fields = std::tuple(field<1>("name", &Guest::name));
};

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  bobbin::Registry registry;
  registry.orchestrator("welcome", [](bobbin::Context& ctx, const Guest& guest) {
    return ctx.call_activity<std::string>("greet", guest);
  });
  registry.activity("greet", [](const bobbin::ActivityContext&, const Guest& guest) { return "Hello, " + guest.name; });
  bobbin::workflows::register_sms_consolidation(registry, [](const bobbin::workflows::SmsBatch&) { return ""; });

  bobbin::Engine engine(bobbin::open_lmdb(argv[1]), std::move(registry));
  const bobbin::InstanceName name{"welcome", "1"};
  engine.start(name, Guest{"Bobbin"});
  std::cout << bobbin::decode<std::string>(engine.wait(name).result) << '\n';
}
