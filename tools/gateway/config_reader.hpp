// Reads one TOML table with errors that name their place. Internal to the configuration.
#pragma once

#include <toml++/toml.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace bobbin::gateway {

// "250ms", "5s", "2m", "1h", "1d": a whole number and its unit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// Of `known`, the word that `word` was probably meant to be; empty if none is close.
std::string nearest(std::string_view word, const std::set<std::string, std::less<>>& known);

class ConfigReader {
 public:
  // `name` is the table's dotted name, empty for the whole file. The table must outlive the reader.
  ConfigReader(const toml::table& table, std::string name, std::string file);

  // Each of these changes `value` if the key is there; a required key that is missing is an error.
  void text(std::string_view key, std::string& value);
  void required_text(std::string_view key, std::string& value);
  template <typename Integer>
  void integer(std::string_view key, Integer& value, std::int64_t min, std::int64_t max) {
    value = static_cast<Integer>(read_integer(key, static_cast<std::int64_t>(value), min, max));
  }
  void number(std::string_view key, double& value, double min, double max);
  void duration(std::string_view key, std::chrono::milliseconds& value, std::chrono::milliseconds min,
                std::chrono::milliseconds max);

  // Runs `read` on the table of that name, if it is there, and refuses what `read` did not ask for.
  bool table(std::string_view key, const std::function<void(ConfigReader&)>& read);
  // The same for each table of an array of tables.
  void tables(std::string_view key, const std::function<void(ConfigReader&)>& read);

  // Throws if the table has a key that nobody asked for.
  void refuse_unknown() const;

  // Throws an error at the key's place, or at the table's if the key is not there.
  [[noreturn]] void fail(std::string_view key, const std::string& message) const;

 private:
  const toml::node* find(std::string_view key);
  std::string full_name(std::string_view key) const;
  std::int64_t read_integer(std::string_view key, std::int64_t value, std::int64_t min, std::int64_t max);
  [[noreturn]] void fail_at(const toml::source_position& at, const std::string& message) const;
  [[noreturn]] void fail_type(std::string_view key, const toml::node& found, const std::string& expected) const;

  const toml::table& table_;
  std::string name_;
  std::string file_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace bobbin::gateway
