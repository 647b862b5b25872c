#include "tools/drill/power/disk_model.hpp"

#include "tools/drill/dice.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <stdexcept>

namespace bobbin::drill {

namespace {

constexpr std::uint64_t sectors_a_page = 8;

constexpr auto lock_file = "lock.mdb";

template <class Versions, class Covers>
auto newest_of(const Versions& versions, const Covers& covers) {
  return std::find_if(versions.rbegin(), versions.rend(), [&](const auto& version) { return covers(version.order); });
}

std::string folder_of(const std::string& name) { return std::filesystem::path(name).parent_path().string(); }

}  // namespace

std::string_view DiskModel::view(const Sector* bytes) {
  static constexpr Sector zeros{};
  return {bytes ? bytes->data() : zeros.data(), sector_bytes};
}

DiskModel::DiskModel(std::filesystem::path root, Syncs syncs) : root_(std::move(root)), syncs_(syncs) {}

void DiskModel::begin_with_files() {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
    auto file = std::make_shared<File>();
    file->folder = entry.is_directory();
    if (!file->folder) {
      file->durable = file->seen = FileBytes(entry.path());
      file->durable_size = file->seen.size();
      struct stat status {};
      if (::stat(entry.path().c_str(), &status) != 0) throw std::runtime_error("cannot read " + entry.path().string());
      files_[status.st_ino] = file;
    }
    durable_names_[relative(entry.path().string())] = file;
  }
}

std::string DiskModel::relative(std::string_view path) const {
  const auto& root = root_.native();
  return path.size() <= root.size() ? std::string() : std::string(path.substr(root.size() + 1));
}

const DiskModel::FilePtr& DiskModel::file_of(std::uint64_t inode) {
  auto& file = files_[inode];
  if (!file) file = std::make_shared<File>();
  return file;
}

void DiskModel::take(const Operation& operation) {
  const auto& head = operation.head;
  ++order_;
  switch (head.op) {
    case Op::write:
      return write(operation);
    case Op::sync:
      return begin_sync(operation);
    case Op::returned:
      return returned(head);
    case Op::size_set:
      return set_size(*file_of(head.inode), head.offset);
    case Op::file_added: {
      auto file = std::make_shared<File>();
      files_[head.inode] = file;
      return change_names({order_, {}, relative(operation.path), file});
    }
    case Op::folder_added: {
      auto folder = std::make_shared<File>();
      folder->folder = true;
      return change_names({order_, {}, relative(operation.path), folder});
    }
    case Op::renamed:
      return change_names({order_, relative(operation.path), relative(operation.other_path), nullptr});
    case Op::removed:
      return change_names({order_, relative(operation.path), {}, nullptr});
    case Op::unsupported:
      break;
  }
  throw std::runtime_error("a change of " + std::string(operation.path) + " that the model of the disk does not know");
}

void DiskModel::write(const Operation& operation) {
  const auto& head = operation.head;
  const auto& file = file_of(head.inode);
  put(*file, head.offset, operation.data, order_);
  unreturned_.insert(order_);
  calls_[head.call] = {file, Op::write, head.synchronous != 0, order_, head.bytes, {}, head.offset + head.bytes, {}};
}

void DiskModel::put(File& file, std::uint64_t offset, std::string_view data, std::uint64_t order) {
  if (data.empty()) return;
  const auto end = offset + data.size();
  const auto size_before = file.seen.size();
  file.seen.write(offset, data);
  for (auto sector = offset / sector_bytes; sector * sector_bytes < end; ++sector) {
    Sector bytes;
    file.seen.read(sector * sector_bytes, bytes);
    const bool zero = all_zero({bytes.data(), bytes.size()});
    file.uncertain[sector].push_back({order, zero ? nullptr : std::make_shared<const Sector>(bytes)});
  }
  if (end > size_before) file.uncertain_sizes.push_back({order, end});
}

void DiskModel::set_size(File& file, std::uint64_t bytes) {
  const auto size_before = file.seen.size();
  if (bytes == size_before) return;
  // What is cut off is zero when the file grows again.
  if (bytes < size_before) put(file, bytes, std::string(size_before - bytes, '\0'), order_);
  file.seen.resize(bytes);
  file.uncertain_sizes.push_back({order_, bytes});
}

void DiskModel::begin_sync(const Operation& operation) {
  Call call;
  call.op = Op::sync;
  call.order = order_;
  call.unreturned = unreturned_;
  if (operation.head.of_folder == 0) call.file = file_of(operation.head.inode);
  call.folder = relative(operation.path);
  calls_[operation.head.call] = std::move(call);
}

void DiskModel::returned(const OperationHead& head) {
  const auto found = calls_.find(head.call);
  if (found == calls_.end()) return;
  const auto call = std::move(found->second);
  calls_.erase(found);
  if (call.op == Op::write)
    write_returned(call, head.result);
  else
    sync_returned(call, head.result);
}

void DiskModel::write_returned(const Call& call, std::int64_t result) {
  unreturned_.erase(call.order);
  if (result != static_cast<std::int64_t>(call.bytes)) {  // nobody knows what it has done
    given_up_.insert(call.order);
    return;
  }
  if (!call.synchronous || syncs_ == Syncs::ignored) return;
  make_durable(*call.file, [&](std::uint64_t order) { return order == call.order; });
  make_size_durable(*call.file, [&](std::uint64_t order) { return order == call.order; });
  call.file->durable_size = std::max(call.file->durable_size, call.end);
}

void DiskModel::sync_returned(const Call& call, std::int64_t result) {
  if (result != 0) return give_up(call);
  if (syncs_ == Syncs::ignored) return;
  if (!call.file) return make_names_durable(call.folder, call.order);
  const auto covers = [&](std::uint64_t order) { return order < call.order && !call.unreturned.contains(order); };
  make_durable(*call.file, [&](std::uint64_t order) { return covers(order) && !given_up_.contains(order); });
  make_size_durable(*call.file, covers);
}

// Names and the size wait for the next sync.
void DiskModel::give_up(const Call& failed_sync) {
  if (!failed_sync.file) return;
  for (const auto& [sector, versions] : failed_sync.file->uncertain)
    for (const auto& version : versions)
      if (version.order < failed_sync.order) given_up_.insert(version.order);
}

// The newest version that the sync covers is durable, and the older ones are gone.
template <class Covers>
void DiskModel::make_durable(File& file, const Covers& covers) {
  for (auto sector = file.uncertain.begin(); sector != file.uncertain.end();) {
    auto& versions = sector->second;
    const auto newest = newest_of(versions, covers);
    if (newest != versions.rend()) {
      file.durable.write(sector->first * sector_bytes, view(newest->bytes.get()));
      versions.erase(versions.begin(), newest.base());
    }
    sector = versions.empty() ? file.uncertain.erase(sector) : std::next(sector);
  }
}

template <class Covers>
void DiskModel::make_size_durable(File& file, const Covers& covers) {
  auto& sizes = file.uncertain_sizes;
  const auto newest = newest_of(sizes, covers);
  if (newest == sizes.rend()) return;
  file.durable_size = newest->bytes;
  sizes.erase(sizes.begin(), newest.base());
}

void DiskModel::make_names_durable(const std::string& folder, std::uint64_t before) {
  const auto touches = [&](const NameChange& change) {
    return change.order < before && ((!change.name.empty() && folder_of(change.name) == folder) ||
                                     (!change.other_name.empty() && folder_of(change.other_name) == folder));
  };
  const auto last = std::find_if(uncertain_names_.rbegin(), uncertain_names_.rend(), touches).base();
  for (auto change = uncertain_names_.begin(); change != last; ++change) apply(durable_names_, *change);
  uncertain_names_.erase(uncertain_names_.begin(), last);
}

void DiskModel::change_names(NameChange change) { uncertain_names_.push_back(std::move(change)); }

void DiskModel::apply(Names& names, const NameChange& change) {
  FilePtr file = change.file;
  if (!change.name.empty()) {
    const auto old = names.find(change.name);
    if (old == names.end()) return;
    file = old->second;
    names.erase(old);
  }
  if (!change.other_name.empty()) names[change.other_name] = file;
}

std::string DiskModel::untold(const std::string& folder) const {
  auto names = durable_names_;
  for (const auto& change : uncertain_names_) apply(names, change);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_ / folder)) {
    const auto name = relative(entry.path().string());
    const auto found = names.find(name);
    if (found == names.end() || found->second->folder != entry.is_directory()) return name;
    const bool is_told =
        entry.is_directory() || entry.path().filename() == lock_file || FileBytes(entry.path()) == found->second->seen;
    if (!is_told) return name;
    names.erase(found);
  }
  for (const auto& [name, file] : names)
    if (name.starts_with(folder + "/")) return name;
  return {};
}

// How one image draws what has reached the disk: in sectors, pages or whole writes, and few, many or all of them.
class DiskModel::Draw {
 public:
  explicit Draw(std::uint64_t seed) : dice_(seed) {
    constexpr double shares[] = {0, 0.02, 0.3, 0.5, 0.7, 0.98, 1};
    share_ = shares[dice_.any_of(std::size(shares))];
    grain_ = static_cast<Grain>(dice_.any_of(3));
  }

  std::size_t any_of(std::size_t count) { return dice_.any_of(count); }

  FileBytes content(const File& file) {
    auto bytes = file.durable;
    std::map<std::uint64_t, bool> kept_units;
    std::map<std::uint64_t, unsigned> pages;  // 1: an old sector, 2: a new one
    for (const auto& [sector, versions] : file.uncertain) {
      const auto unit = grain_ == Grain::sector ? sector
                        : grain_ == Grain::page ? sector / sectors_a_page
                                                : versions.back().order;
      const auto [known, is_new] = kept_units.try_emplace(unit, false);
      if (is_new) known->second = dice_.chance(share_);
      pages[sector / sectors_a_page] |= known->second ? 2 : 1;
      if (!known->second) continue;
      const auto& version = dice_.chance(0.8) ? versions.back() : versions[dice_.any_of(versions.size())];
      bytes.write(sector * sector_bytes, view(version.bytes.get()));
    }
    for (const auto& [page, kinds] : pages) torn_ |= kinds == 3;
    bytes.resize(size_of(file));
    return bytes;
  }

  bool torn() const { return torn_; }

 private:
  enum class Grain { sector, page, write };

  std::uint64_t size_of(const File& file) {
    const auto& sizes = file.uncertain_sizes;
    if (sizes.empty() || share_ == 0) return file.durable_size;
    if (share_ == 1) return sizes.back().bytes;
    const auto choice = dice_.any_of(sizes.size() + 1);
    return choice == sizes.size() ? file.durable_size : sizes[choice].bytes;
  }

  Dice dice_;
  double share_ = 0;
  Grain grain_ = Grain::sector;
  bool torn_ = false;
};

DiskImage DiskModel::image(std::uint64_t seed) const {
  Draw draw(seed);
  auto names = durable_names_;
  const auto changes = draw.any_of(uncertain_names_.size() + 1);
  for (std::size_t i = 0; i < changes; ++i) apply(names, uncertain_names_[i]);
  DiskImage image;
  for (const auto& [name, file] : names) {  // a folder comes before what it holds
    if (file->folder)
      image.folders.insert(name);
    else if (const auto folder = folder_of(name); folder.empty() || image.folders.contains(folder))
      image.files[name] = draw.content(*file);
  }
  image.torn = draw.torn();
  return image;
}

void DiskImage::write(const std::filesystem::path& target) const {
  std::filesystem::remove_all(target);
  std::filesystem::create_directories(target);
  for (const auto& name : folders) std::filesystem::create_directories(target / name);
  for (const auto& [name, bytes] : files) bytes.write_to(target / name);
}

}  // namespace bobbin::drill
