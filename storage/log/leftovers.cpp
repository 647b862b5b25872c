#include "storage/log/leftovers.hpp"

#include "storage/codec/codec.hpp"
#include "storage/log/frame.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/parts.hpp"

#include <bobbin/damage.hpp>

#include <algorithm>

namespace bobbin::storage {

namespace {

// As it lies in the value, little-endian.
struct StoredLeftover {
  Id128 instance;
  std::uint64_t lsn;
};
static_assert(sizeof(StoredLeftover) == 24);

constexpr Label what = "the list of the rows that purges have left";

bool stands(PartReader& parts, const Committed::Ended& ended) {
  const Label row_of("the row of instance", ended.id);
  const auto key = instance_key(ended.id);
  bool as_it_was = false;
  damage_met_in([&] {
    const auto framed = parts.find(Table::instances, key, row_of);
    if (framed.empty()) return;
    open_row(framed, key.view(), row_of);
    as_it_was = decode_instance_head(row_body(framed), row_of).lsn == ended.lsn;
  });
  return as_it_was;
}

}  // namespace

void add_leftovers(Writer& writer, std::span<const Committed::Ended> ended) {
  if (ended.empty()) return;
  std::vector<Committed::Ended> all;
  damage_met_in([&] { all = read_leftovers(writer); });  // replaced
  all.insert(all.end(), ended.begin(), ended.end());
  std::vector<std::byte> framed(sizeof(RowFrame) + all.size() * sizeof(StoredLeftover));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const StoredLeftover stored{all[i].id, all[i].lsn};
    std::memcpy(framed.data() + sizeof(RowFrame) + i * sizeof stored, &stored, sizeof stored);
  }
  const auto key = Key().add_raw(leftovers_prefix);
  seal_row(framed, key.view());
  replace_parts(writer, Table::holds, key, {reinterpret_cast<const char*>(framed.data()), framed.size()});
}

std::vector<Committed::Ended> read_leftovers(Reader& reader) {
  PartReader names(reader);
  PartReader rows(reader);
  std::vector<Committed::Ended> leftovers;
  const auto key = Key().add_raw(leftovers_prefix);
  const auto framed = names.find(Table::holds, key, what);
  if (framed.empty()) return leftovers;
  open_row(framed, key.view(), what);
  const auto body = row_body(framed);
  if (body.size() % sizeof(StoredLeftover) != 0) throw_damaged(what, "its size is wrong");
  for (std::size_t at = 0; at < body.size(); at += sizeof(StoredLeftover)) {
    StoredLeftover stored;
    std::memcpy(&stored, body.data() + at, sizeof stored);
    const Committed::Ended ended{stored.instance, stored.lsn};
    if (stands(rows, ended)) leftovers.push_back(ended);
  }
  return leftovers;
}

}  // namespace bobbin::storage
