// Writes and syncs of a process under test. A library that goes before its C library is made of file_calls.cpp and of
// whatever says what becomes of them.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

namespace bobbin::drill {

struct FileWrite {
  int file;
  const iovec* pieces;
  int count;
  off64_t offset;  // negative: where the file stands

  // The real call, and what it answers.
  ssize_t pass_on() const;
};

struct FileSync {
  int file;
  bool data_only;

  int pass_on() const;
};

// What the process is answered.
ssize_t on_write(const FileWrite& call);
int on_sync(const FileSync& call);

}  // namespace bobbin::drill
