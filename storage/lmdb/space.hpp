// The room that a log has on its disk (S26): blocks reserved beyond the file's end, and pages inside it that are free.
#pragma once

#include "storage/lmdb/environment.hpp"
#include "storage/lmdb/reserve.hpp"

#include <cstdint>

namespace bobbin::storage {

// Writer lane.
class Space {
 public:
  Space(Environment& environment, std::function<void(std::string_view)> log_line);

  // Store::reserve.
  std::uint64_t reserve(std::uint64_t bytes);
  // Whether the transaction can be committed without asking the disk for a block. To be asked before it is.
  bool fits(LmdbWriter& writer);
  std::uint64_t entries(Table table) const;

 private:
  std::uint64_t file_end() const;
  std::uint64_t reserved(std::uint64_t file_end) const;
  void measure();
  std::uint64_t reusable_pages(std::uint64_t enough) const;

  Environment& environment_;
  std::uint64_t page_bytes_;
  Reserve reserve_;
  // As of the last look at the trees.
  unsigned depth_ = 0;
  std::uint64_t free_pages_ = 0;
  std::uint64_t floor_ = 0;
  std::uint64_t committed_since_ = 0;  // pages at most
  unsigned spared_ = 0;                // demands that free pages have met
};

}  // namespace bobbin::storage
