#include "image.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <mutex>

#include "version.h"

namespace napi_reload {
namespace {

// Where napi_module_register leaves what a constructor gave it while Open() runs on this thread.
thread_local napi_module** registering = nullptr;

}  // namespace

// Every open image. Used when a version does something rare (starts a thread, makes a key), never
// on the path of a call. It lives for ever: threads may ask after static destructors have run.
Image::Registry& Image::registry() {
  static Registry* const registry = new Registry;
  return *registry;
}

OpenResult Image::Open(const ImageOptions& options) {
  OpenResult result;
  Image* image = nullptr;
  {
    std::lock_guard<std::mutex> lock(registry().mutex);
    Image* const shared = options.share_key.empty() ? nullptr : FindShared(options);
    if (shared != nullptr && shared->MayBeJoined(options)) {
      ++shared->holders_;
      shared->Acquire();
      result.image = shared;
      result.joined = true;
      return result;
    }
    if (shared != nullptr || options.follows) {
      result.failure = OpenFailure::kBusy;
      return result;
    }
    // Constructors may start threads, which have to find their image.
    // First: an image that is listed nowhere is lost for want of memory no more.
    registry().images.reserve(registry().images.size() + 1);
    image = new Image(options);
    image->id_ = ++registry().images_made;
    image->round_ = options.round;
    image->listed_ = !options.share_key.empty() && !options.fresh;
    registry().images.push_back(image);
  }
  // Also when there is no memory left for the words of a failure.
  struct Leaving {
    Image* image;
    ~Leaving() {
      if (image == nullptr) return;
      image->Leave(true);
      image->Release();
    }
  } leaving{image};
  result.failure = OpenFailure::kStage;
  if (!options.share_key.empty()) result.stage = image->TakeFiles();
  if (!result.stage) {
    result.failure = OpenFailure::kLoad;
    if (image->Map(&result.message) && image->FindEntry(&result.failure, &result.message)) {
      result.failure = OpenFailure::kNone;
      result.image = image;
      std::lock_guard<std::mutex> lock(registry().mutex);
      image->open_ = true;
      leaving.image = nullptr;
      return result;
    }
  }
  return result;
}

bool Image::Map(std::string* message) {
  // First: a handle that has no place would never be closed.
  handles_.reserve(options_.libraries.size() + 1);
  {
    std::lock_guard<std::mutex> lock(registry().mutex);
    ranges_.reserve(options_.libraries.size() + 1);
  }
  napi_module** const outer = registering;
  registering = &registered_;
  for (const std::string& library : options_.libraries) {
    void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) break;
    FindRanges(handle);
    handles_.push_back(handle);
  }
  if (handles_.size() == options_.libraries.size()) {
    void* const handle = dlopen(options_.staged.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) {
      FindRanges(handle);
      handles_.push_back(handle);
    }
  }
  registering = outer;
  if (handles_.size() == options_.libraries.size() + 1) return true;
  *message = dlerror();
  return false;
}

bool Image::FindEntry(OpenFailure* failure, std::string* message) {
  void* const handle = handles_.back();
  init_ = reinterpret_cast<napi_addon_register_func>(dlsym(handle, "napi_register_module_v1"));
  if (registered_ != nullptr) init_ = registered_->nm_register_func;
  if (init_ == nullptr) {
    *failure = OpenFailure::kNoEntry;
    *message = "it does not register a Node-API module";
    return false;
  }
  const auto get_version = reinterpret_cast<node_api_addon_get_api_version_func>(
      dlsym(handle, "node_api_module_get_api_version_v1"));
  if (get_version != nullptr) api_version_ = get_version();
  constexpr int32_t kExperimental = INT32_MAX;
  const bool known =
      api_version_ >= 1 && (api_version_ == kExperimental ||
                            static_cast<uint32_t>(api_version_) <= options_.api_version_max);
  if (known) return true;
  *failure = OpenFailure::kApiVersion;
  *message = "it wants Node-API " + std::to_string(api_version_) + " and this Node.js has " +
             std::to_string(options_.api_version_max);
  return false;
}

void Image::FindRanges(void* handle) {
  struct Search {
    uintptr_t base;
    Range range;
  } search = {static_cast<link_map*>(handle)->l_addr, {UINTPTR_MAX, 0}};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        auto* const search = static_cast<Search*>(data);
        if (info->dlpi_addr != search->base) return 0;
        for (size_t index = 0; index < info->dlpi_phnum; ++index) {
          const auto& segment = info->dlpi_phdr[index];
          if (segment.p_type != PT_LOAD) continue;
          const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
          search->range.begin = std::min(search->range.begin, begin);
          search->range.end = std::max(search->range.end, begin + segment.p_memsz);
        }
        return 1;
      },
      &search);
  std::lock_guard<std::mutex> lock(registry().mutex);
  ranges_.push_back(search.range);
}

void Image::RegisterModule(napi_module* module) {
  if (registering != nullptr) *registering = module;
}

bool Image::Contains(const void* address) const {
  const auto value = reinterpret_cast<uintptr_t>(address);
  return std::any_of(ranges_.begin(), ranges_.end(), [value](const Range& range) {
    return value >= range.begin && value < range.end;
  });
}

Image* Image::FindAt(const void* address) {
  for (Image* const image : registry().images) {
    if (image->Contains(address)) return image;
  }
  return nullptr;
}

Image* Image::Find(const void* given, const void* caller) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  for (const void* const address : {given, caller}) {
    if (Image* const image = FindAt(address)) return image;
  }
  // A destructor that runs while its image is unmapped finds nothing, and is on its own.
  // A constructor runs before dlopen has told where the image is: it is the one that is opening on
  // this thread, then.
  if (registering == nullptr) return nullptr;
  for (Image* const image : registry().images) {
    if (&image->registered_ == registering) return image;
  }
  return nullptr;
}

LetGo Image::Release() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return LetGo::kHeld;
  return Destroy();
}

void Image::ReleaseCounted(std::atomic<size_t>* count) {
  bool last = false;
  {
    // A watcher that acts on the message at once, on its own thread, waits here when it leaves, and
    // then finds neither the count nor the reference. The lock also keeps it alive meanwhile.
    std::lock_guard<std::mutex> lock(registry().mutex);
    count->fetch_sub(1);
    for (Version* const version : watchers_) version->PostRelease();
    last = references_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  if (last) Destroy();
}

LetGo Image::Destroy() {
  // What these need is here already; a copy of them could fail.
  std::vector<std::string> libraries;
  std::string staged;
  libraries.swap(options_.libraries);
  staged.swap(options_.staged);
  {
    // First: once the addresses are free, another thread's image may be mapped there.
    std::lock_guard<std::mutex> lock(registry().mutex);
    auto& images = registry().images;
    images.erase(std::find(images.begin(), images.end(), this));
  }
  DeleteKeys();
  Unmap();
  delete this;
  const bool is_mapped =
      IsMapped(staged) || std::any_of(libraries.begin(), libraries.end(), IsMapped);
  return is_mapped ? LetGo::kStillMapped : LetGo::kGone;
}

void Image::Unmap() {
  for (auto handle = handles_.rbegin(); handle != handles_.rend(); ++handle) dlclose(*handle);
  handles_.clear();
}

bool Image::IsMapped(const std::string& staged) {
  void* const handle = dlopen(staged.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return false;
  dlclose(handle);
  return true;
}

void Image::AddWatcher(Version* version) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  watchers_.push_back(version);
}

void Image::RemoveWatcher(Version* version) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  watchers_.erase(std::remove(watchers_.begin(), watchers_.end(), version), watchers_.end());
}

size_t Image::Count() {
  std::lock_guard<std::mutex> lock(registry().mutex);
  return registry().images.size();
}

}  // namespace napi_reload
