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

Image* Image::FindListed(const std::string& share_key) {
  const auto& images = registry().images;
  const auto found = std::find_if(images.begin(), images.end(), [&](const Image* image) {
    return image->listed_ && image->options_.share_key == share_key;
  });
  return found == images.end() ? nullptr : *found;
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

size_t Image::Claim() {
  std::lock_guard<std::mutex> lock(registry().mutex);
  if (holders_ == 1) claimed_ = true;
  return holders_ - 1;
}

void Image::EndClaim(bool replaced) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  claimed_ = false;
  if (replaced) listed_ = false;
}

void Image::List() {
  std::lock_guard<std::mutex> lock(registry().mutex);
  listed_ = !options_.share_key.empty();
}

}  // namespace napi_reload
