// bobbin: looks into a log, beside the engine that owns it or alone. Never writes.
#include "tools/inspect/commands.hpp"

#include <bobbin/error.hpp>
#include <bobbin/lmdb.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <functional>

using namespace bobbin;
using namespace bobbin::inspect;

namespace {

int run(int argc, char** argv) {
  CLI::App app("Looks into a Bobbin log, beside the engine that owns it or alone. Never writes.");
  app.require_subcommand(1);
  app.fallthrough();
  std::string directory = ".";
  bool json = false;
  app.add_option("-d,--directory", directory, "the log's directory")->capture_default_str();
  app.add_flag("--json", json, "for programs");

  LsOptions ls_options;
  auto* ls_command = app.add_subcommand("ls", "the instances; with --json one object a line");
  ls_command->add_option("--status", ls_options.status,
                         "only: none, running, completed, failed, terminated, quarantined");
  ls_command->add_option("--limit", ls_options.limit, "at most so many");

  ShowOptions show_options;
  auto* show_command = app.add_subcommand("show", "the history of an instance's live or last run");
  show_command->add_option("INSTANCE", show_options.instance, "its id, or ORCHESTRATOR/KEY")->required();
  show_command->add_option("--run", show_options.run, "an older run, by its number of the start record");

  auto* stats_command = app.add_subcommand("stats", "counts, and the ledger");
  auto* verify_command = app.add_subcommand("verify", "checks everything; 1 if something is not in order");
  CLI11_PARSE(app, argc, argv);
  ls_options.json = show_options.json = json;

  const auto log = open_lmdb_read_only(directory);
  if (*ls_command) return ls(*log, ls_options);
  if (*show_command) return show(*log, show_options);
  if (*stats_command) return stats(*log, json);
  if (*verify_command) return verify_log(*log, json);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "bobbin: %s: %s\n", to_string(error.code()), error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bobbin: %s\n", error.what());
    return 2;
  }
}
