// Images that several handles, of one thread or of many, run at once.

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "image.h"

namespace napi_reload {
namespace {

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

// A stage directory is called <name>-<pid>-<random>.
std::string AddonNameOf(const std::string& directory) {
  const std::string name = directory.substr(directory.rfind('/') + 1);
  const size_t random = name.rfind('-');
  return name.substr(0, name.rfind('-', random - 1));
}

}  // namespace

Image* Image::FindShared(const ImageOptions& options) {
  Image* listed = nullptr;
  for (Image* const image : registry().images) {
    if (image->options_.share_key != options.share_key) continue;
    // Of the same bytes there may be the one that is replaced, too.
    if (options.round != 0 && image->round_ == options.round) return image;
    if (image->listed_ && !options.fresh) listed = image;
  }
  return listed;
}

bool Image::MayBeJoined(const ImageOptions& options) const {
  if (!open_) return false;
  if (round_ != 0) return round_ == options.round;
  // Who follows has been waited for: two rounds that wait for each other would not end.
  return !frozen_ || options.follows;
}

std::optional<IoFailure> Image::TakeFiles() {
  const std::string folder = FolderOf(options_.staged);
  auto opened = StageDirectory::Open(FolderOf(folder), AddonNameOf(folder));
  if (auto* failure = std::get_if<IoFailure>(&opened)) return std::move(*failure);
  if (const auto* unsafe = std::get_if<UnsafeDirectory>(&opened)) {
    return IoFailure{"check", unsafe->path, EPERM};
  }
  directory_ = std::move(std::get<std::shared_ptr<StageDirectory>>(opened));
  const auto take = [this](std::string* path) -> std::optional<IoFailure> {
    std::string to = directory_->path() + path->substr(path->rfind('/'));
    // Its handle may go back to this version when the image has long been gone.
    if (link(path->c_str(), to.c_str()) != 0) return IoFailure{"link", *path, errno};
    *path = std::move(to);
    return std::nullopt;
  };
  for (std::string& library : options_.libraries) {
    if (auto failure = take(&library)) return failure;
  }
  return take(&options_.staged);
}

void Image::Hold() {
  std::lock_guard<std::mutex> lock(registry().mutex);
  ++holders_;
  Acquire();
}

bool Image::Leave(bool knows_that_it_is_last) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  if (holders_ == 1) {
    if (!knows_that_it_is_last) return false;
    listed_ = false;
  }
  --holders_;
  return true;
}

void Image::Freeze(const std::vector<uint64_t>& ids) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  for (Image* const image : registry().images) {
    if (std::find(ids.begin(), ids.end(), image->id_) != ids.end()) image->frozen_ = true;
  }
}

// Another round may want one of them frozen still. It says so again before it looks who has come.
void Image::EndRound(uint64_t round, const std::vector<uint64_t>& ids,
                     const std::vector<uint64_t>& targets, bool committed) {
  const auto is_in = [](const std::vector<uint64_t>& some, const Image* image) {
    return std::find(some.begin(), some.end(), image->id_) != some.end();
  };
  std::lock_guard<std::mutex> lock(registry().mutex);
  for (Image* const image : registry().images) {
    if (is_in(ids, image) || is_in(targets, image)) image->frozen_ = false;
    if (is_in(ids, image) && committed) image->listed_ = false;
    if (image->round_ != round) continue;
    image->round_ = 0;
    image->listed_ = committed && !image->options_.share_key.empty();
  }
}

}  // namespace napi_reload
