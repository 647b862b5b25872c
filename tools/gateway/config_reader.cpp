#include "tools/gateway/config_reader.hpp"

#include "tools/gateway/config.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <sstream>
#include <vector>

namespace bobbin::gateway {

using std::chrono::milliseconds;

namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr Unit units[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

// Above any range that the configuration allows, and far from overflow in milliseconds.
constexpr std::int64_t duration_count_max = 1'000'000'000;

std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string shown(milliseconds value) {
  for (auto unit = std::rbegin(units); unit != std::rend(units); ++unit) {
    if (value.count() % unit->ms == 0 && value.count() != 0) {
      return std::to_string(value.count() / unit->ms) + std::string(unit->name);
    }
  }
  return "0s";
}

std::string type_name(const toml::node& node) {
  std::ostringstream name;
  name << node.type();
  return name.str();
}

std::string shown(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0 || count > duration_count_max) return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto unit = std::find_if(std::begin(units), std::end(units), [&](const Unit& one) { return one.name == name; });
  if (unit == std::end(units)) return std::nullopt;
  return milliseconds(count * unit->ms);
}

std::string nearest(std::string_view word, const std::set<std::string, std::less<>>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

ConfigReader::ConfigReader(const toml::table& table, std::string name, std::string file)
    : table_(table), name_(std::move(name)), file_(std::move(file)) {}

std::string ConfigReader::full_name(std::string_view key) const {
  return name_.empty() ? std::string(key) : name_ + "." + std::string(key);
}

const toml::node* ConfigReader::find(std::string_view key) {
  known_.emplace(key);
  return table_.get(key);
}

void ConfigReader::fail(std::string_view key, const std::string& message) const {
  const toml::node* found = table_.get(key);
  fail_at((found != nullptr ? found->source() : table_.source()).begin, message);
}

void ConfigReader::fail_at(const toml::source_position& at, const std::string& message) const {
  std::ostringstream text;
  // A table that the file does not spell out has no place of its own.
  text << file_ << ':' << std::max(at.line, 1U) << ':' << std::max(at.column, 1U) << ": " << message;
  throw ConfigError(text.str());
}

void ConfigReader::fail_type(std::string_view key, const toml::node& found, const std::string& expected) const {
  fail(key, full_name(key) + " is of type " + type_name(found) + ", expected " + expected);
}

void ConfigReader::text(std::string_view key, std::string& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto text = node->value_exact<std::string>();
  if (!text) fail_type(key, *node, "a string");
  value = *text;
}

void ConfigReader::required_text(std::string_view key, std::string& value) {
  if (find(key) == nullptr) fail(key, full_name(key) + " is missing, expected a string");
  text(key, value);
  if (value.empty()) fail(key, full_name(key) + " is empty, expected a string that is not");
}

std::int64_t ConfigReader::read_integer(std::string_view key, std::int64_t value, std::int64_t min, std::int64_t max) {
  const toml::node* node = find(key);
  if (node == nullptr) return value;
  const auto number = node->value_exact<std::int64_t>();
  const std::string range = std::to_string(min) + " to " + std::to_string(max);
  if (!number) fail_type(key, *node, "an integer from " + range);
  if (*number < min || *number > max) {
    fail(key, full_name(key) + " is " + std::to_string(*number) + ", expected an integer from " + range);
  }
  return *number;
}

void ConfigReader::number(std::string_view key, double& value, double min, double max) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto number = node->value<double>();
  const std::string range = "a number from " + shown(min) + " to " + shown(max);
  if (!node->is_number() || !number) fail_type(key, *node, range);
  // Written so that not-a-number fails too.
  if (!(*number >= min && *number <= max)) fail(key, full_name(key) + " is " + shown(*number) + ", expected " + range);
  value = *number;
}

void ConfigReader::duration(std::string_view key, milliseconds& value, milliseconds min, milliseconds max) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const std::string range = "a duration from \"" + shown(min) + "\" to \"" + shown(max) + "\"";
  const auto text = node->value_exact<std::string>();
  if (!text) fail_type(key, *node, range);
  const auto parsed = parse_duration(*text);
  if (!parsed || *parsed < min || *parsed > max) {
    fail(key, full_name(key) + " is \"" + *text + "\", expected " + range + " (units: ms, s, m, h, d)");
  }
  value = *parsed;
}

bool ConfigReader::table(std::string_view key, const std::function<void(ConfigReader&)>& read) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  if (!node->is_table()) fail_type(key, *node, "a table");
  ConfigReader reader(*node->as_table(), full_name(key), file_);
  read(reader);
  reader.refuse_unknown();
  return true;
}

void ConfigReader::tables(std::string_view key, const std::function<void(ConfigReader&)>& read) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_array_of_tables()) fail_type(key, *node, "tables, each beginning with [[" + full_name(key) + "]]");
  for (const toml::node& entry : *node->as_array()) {
    ConfigReader reader(*entry.as_table(), full_name(key), file_);
    read(reader);
    reader.refuse_unknown();
  }
}

void ConfigReader::refuse_unknown() const {
  for (const auto& [key, node] : table_) {
    if (known_.contains(key.str())) continue;
    const std::string meant = nearest(key.str(), known_);
    const std::string hint = meant.empty() ? "" : "; did you mean " + full_name(meant) + "?";
    fail_at(key.source().begin, "unknown key " + full_name(key.str()) + hint);
  }
}

}  // namespace bobbin::gateway
