// One image after another: built from the model of the disk, checked in a process of its own, and, of some, the
// recovery itself cut again.
#pragma once

#include "tools/drill/child_environment.hpp"
#include "tools/drill/power/disk_model.hpp"
#include "tools/drill/power/gateway_trial.hpp"
#include "tools/drill/power/image_check.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace bobbin::drill {

// What makes the recorder record a process's changes below a directory.
std::vector<Variable> recorded_by(const std::filesystem::path& recorder, const std::filesystem::path& recording,
                                  const std::filesystem::path& directory);

struct TrialOptions {
  std::filesystem::path self;  // the program that checks an image when asked by `power-image`
  std::filesystem::path gateway;
  GatewaySettings settings;  // of the gateway that was recorded
  std::filesystem::path recorder;
  std::filesystem::path directory;  // keeps the first image that breaks a promise
  std::filesystem::path root;       // of the recorded files
  std::filesystem::path outcomes;
  std::uint64_t images_at_once = 1;
  DiskModel::Syncs syncs = DiskModel::Syncs::honest;
};

struct ImageOfCut {
  std::size_t number = 0;
  std::size_t position = 0;  // operations before the cut
  std::uint64_t seed = 0;
  std::size_t seen = 0;                      // outcomes before the cut
  std::size_t second_images = 0;             // of cuts during its recovery
  std::shared_ptr<const Witness> witness{};  // the real gateway opens it, too; empty: it does not
  bool torn = false;
};

struct ImageResult {
  int status = image_sound;
  bool torn = false;
  bool second = false;
  bool by_gateway = false;
  std::string what;  // is wrong, and where to look
};

class ImageTrials {
 public:
  // `operations` must outlive it.
  ImageTrials(TrialOptions options, const Operations& operations);
  ~ImageTrials();
  ImageTrials(const ImageTrials&) = delete;
  ImageTrials& operator=(const ImageTrials&) = delete;

  // To be called before run(), with the disk as it is at the image's position.
  void build(const DiskModel& disk, ImageOfCut& image) const;
  // Any thread. The first result is the image's own.
  std::vector<ImageResult> run(const ImageOfCut& image) const;

 private:
  struct Checked {
    int status = image_sound;
    std::string what;
  };
  std::filesystem::path place(const ImageOfCut& image) const;
  void try_once(const ImageOfCut& image, ImageResult& result) const;
  Checked check(const ImageOrder& order, const std::filesystem::path& said, const std::filesystem::path& recording,
                const std::filesystem::path& recorded) const;
  void cut_again(const ImageOfCut& image, std::vector<ImageResult>& results) const;
  std::string keep(const DiskModel& disk, std::uint64_t seed) const;

  TrialOptions options_;
  const Operations& operations_;
  std::filesystem::path area_;
  mutable std::atomic<bool> kept_{false};
};

}  // namespace bobbin::drill
