#include "storage/memory/tables.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin::storage {

const VersionedTables::Value* VersionedTables::seen(const Versions& versions, std::uint64_t at) {
  const auto is_later = [](std::uint64_t commit, const Version& version) { return commit < version.commit; };
  const auto behind = std::upper_bound(versions.begin(), versions.end(), at, is_later);
  if (behind == versions.begin()) return nullptr;
  const auto& value = std::prev(behind)->value;
  return value ? &value : nullptr;
}

bool VersionedTables::forward(const Map& map, Map::const_iterator from, std::uint64_t at, Entry& out) {
  for (; from != map.end(); ++from) {
    const auto* value = seen(from->second, at);
    if (!value) continue;
    out = {from, *value};
    return true;
  }
  return false;
}

bool VersionedTables::backward(const Map& map, Map::const_iterator behind, std::uint64_t at, Entry& out) {
  while (behind != map.begin()) {
    const auto* value = seen((--behind)->second, at);
    if (!value) continue;
    out = {behind, *value};
    return true;
  }
  return false;
}

std::uint64_t VersionedTables::commits() const {
  const std::scoped_lock lock(mutex_);
  return commits_;
}

std::shared_ptr<VersionedTables> VersionedTables::prefix(std::uint64_t commits) const {
  const std::scoped_lock lock(mutex_);
  auto copy = std::make_shared<VersionedTables>();
  copy->commits_ = commits;
  for (std::size_t table = 0; table < table_count; ++table) {
    auto& into = copy->maps_[table];
    for (const auto& [key, versions] : maps_[table]) {
      const auto kept = std::ranges::find_if(versions, [&](const Version& v) { return v.commit > commits; });
      if (kept != versions.begin()) into.emplace_hint(into.end(), key, Versions(versions.begin(), kept));
    }
  }
  return copy;
}

bool VersionedTables::at_or_after(Table table, std::string_view key, std::uint64_t at, Entry& out) const {
  const std::scoped_lock lock(mutex_);
  return forward(map(table), map(table).lower_bound(key), at, out);
}

bool VersionedTables::last(Table table, std::uint64_t at, Entry& out) const {
  const std::scoped_lock lock(mutex_);
  return backward(map(table), map(table).end(), at, out);
}

bool VersionedTables::after(Table table, const Entry& entry, std::uint64_t at, Entry& out) const {
  const std::scoped_lock lock(mutex_);
  return forward(map(table), std::next(entry.place), at, out);
}

bool VersionedTables::before(Table table, const Entry& entry, std::uint64_t at, Entry& out) const {
  const std::scoped_lock lock(mutex_);
  return backward(map(table), entry.place, at, out);
}

void VersionedTables::change(Table table, std::string_view key, Value value) {
  const std::scoped_lock lock(mutex_);
  auto& versions = maps_[static_cast<std::size_t>(table)].try_emplace(std::string(key)).first->second;
  if (versions.empty() || versions.back().commit <= commits_) {
    versions.push_back({commits_ + 1, nullptr});
    changed_.push_back(&versions);
  }
  versions.back().value = std::move(value);
}

void VersionedTables::commit() {
  const std::scoped_lock lock(mutex_);
  ++commits_;
  changed_.clear();
}

void VersionedTables::abort() {
  const std::scoped_lock lock(mutex_);
  for (auto* versions : changed_) versions->pop_back();
  changed_.clear();
}

void VersionedTables::overwrite(Table table, std::string_view key, std::string value) {
  const std::scoped_lock lock(mutex_);
  auto& map = maps_[static_cast<std::size_t>(table)];
  const auto found = map.find(key);
  expect(found != map.end(), "only a value that is there can be damaged");
  found->second.back().value = std::make_shared<const std::string>(std::move(value));
}

bool MemoryCursor::seek(std::string_view key) { return tables_.at_or_after(table_, key, at_, entry_); }
bool MemoryCursor::first() { return tables_.at_or_after(table_, {}, at_, entry_); }
bool MemoryCursor::last() { return tables_.last(table_, at_, entry_); }
bool MemoryCursor::next() { return tables_.after(table_, entry_, at_, entry_); }
bool MemoryCursor::previous() { return tables_.before(table_, entry_, at_, entry_); }

Cursor& MemoryView::cursor(Table table) {
  auto& cursor = cursors_[static_cast<std::size_t>(table)];
  if (!cursor) cursor = std::make_unique<MemoryCursor>(*tables_, table, at_);
  return *cursor;
}

void MemoryWriter::append(Table table, std::string_view key, std::string_view value) {
  VersionedTables::Entry last;
  const bool ordered = !view_.tables().last(table, view_.tables().commits() + 1, last) || last.place->first < key;
  expect(ordered, "an appended key must be above all others");
  put(table, key, value);
}

void MemoryWriter::put(Table table, std::string_view key, std::string_view value) {
  expect(key.size() % 8 == 0 && value.size() % 8 == 0, "keys and values of the log have sizes that are multiples of 8");
  view_.tables().change(table, key, std::make_shared<const std::string>(value));
}

void MemoryWriter::erase(Table table, std::string_view key) { view_.tables().change(table, key, nullptr); }

bool MemoryWriter::erase_here(Table table) {
  auto& cursor = view_.cursor(table);
  erase(table, cursor.key());
  return cursor.next();
}

}  // namespace bobbin::storage
