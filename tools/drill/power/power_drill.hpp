// Power cuts: a recording of what the real gateway does to its disk under load, and what a disk could have kept of it.
#pragma once

#include "tools/drill/checker.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bobbin::drill {

struct PowerOptions {
  std::size_t images = 1'000;  // about
  std::uint64_t seed = 1;
  std::filesystem::path gateway;
  std::filesystem::path recorder;  // the library that goes before the C library
  std::filesystem::path self;      // the program that checks an image when asked by `power-image`
  std::filesystem::path directory;
  std::chrono::milliseconds load{2'000};  // in all
  std::uint32_t lives = 6;                // of the gateway; each ends with SIGKILL or a failed sync
  std::size_t rate = 400;                 // messages a second
  std::uint32_t second_cut_every = 8;     // of so many images one is cut again while it is recovered; 0: none
  std::uint32_t jobs = 2;                 // images that are checked at the same time
  bool lying_disk = false;                // syncs do nothing: what no log can survive
};

struct PowerReport {
  std::size_t images = 0;
  std::size_t cuts = 0;          // moments
  std::size_t torn = 0;          // images with a page of which some sectors were written, others not
  std::size_t recovered = 0;     // images after which everything was as promised
  std::size_t lost = 0;          // images without something that the outside had seen
  std::size_t doubled = 0;       // images with a message twice
  std::size_t corrupt = 0;       // images that were damaged, or broke another promise
  std::size_t second_cuts = 0;   // images, of the above
  std::size_t by_gateway = 0;    // images that the real gateway has opened, of the above
  std::size_t failed_syncs = 0;  // lives of the gateway that ended of one
  std::chrono::milliseconds time{};
  std::vector<BrokenPromise> found;
  std::string trouble;  // what kept the drill from its end

  const std::vector<BrokenPromise>& broken() const { return found; }
  bool passed() const { return found.empty() && trouble.empty(); }
};

// "images=N cuts=N torn=N recovered=N lost=N doubled=N corrupt=N second_cuts=N by_gateway=N failed_syncs=N seconds=N".
std::string summary(const PowerReport& report);

// Ends with the first image that breaks a promise, which stays in the directory, with the recording. Progress goes to
// stderr.
PowerReport run_power_drill(const PowerOptions& options);

}  // namespace bobbin::drill
