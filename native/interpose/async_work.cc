// Async work, of Node-API and of libuv.

#include <uv.h>

#include <utility>

#include "../work.h"
#include "table.h"

namespace napi_reload {
namespace {

// On a thread of the pool.
void Execute(napi_env env, void* data) {
  const auto* const work = static_cast<const Work*>(data);
  work->execute(env, work->data);
}

void Free(Work* work) {
  work->Unlink();
  delete work;
}

void Complete(napi_env env, napi_status status, void* data) {
  auto* const work = static_cast<Work*>(data);
  Version* const version = work->version;
  if (work->complete != nullptr) {
    Entry entry(version);
    work->completing = true;
    work->complete(env, status, work->data);
    work->completing = false;
  }
  --work->queued;
  if (work->real == nullptr && work->queued == 0) Free(work);
  version->Unpinned(PinKind::kAsyncWork);
}

Work* From(napi_async_work work) { return reinterpret_cast<Work*>(work); }

napi_status Create(napi_env env, napi_value resource, napi_value name,
                   napi_async_execute_callback execute, napi_async_complete_callback complete,
                   void* data, napi_async_work* result) {
  Version* const version = Version::Of(env);
  if (version == nullptr || execute == nullptr || result == nullptr) return napi_invalid_arg;
  auto* const work = new Work;
  work->version = version;
  work->execute = execute;
  work->complete = complete;
  work->data = data;
  const napi_status status =
      napi_create_async_work(env, resource, name, Execute, Complete, work, &work->real);
  if (status != napi_ok) {
    delete work;
    return interpose::Checked(env, status);
  }
  version->works.PushFront(work);
  *result = reinterpret_cast<napi_async_work>(work);
  return napi_ok;
}

napi_status Delete(napi_env env, napi_async_work handle) {
  if (handle == nullptr) return napi_invalid_arg;
  Work* const work = From(handle);
  const napi_status status = napi_delete_async_work(env, work->real);
  if (status != napi_ok) return status;
  work->real = nullptr;
  if (work->queued == 0) Free(work);
  return napi_ok;
}

napi_status Queue(node_api_basic_env env, napi_async_work handle) {
  if (handle == nullptr) return napi_invalid_arg;
  Work* const work = From(handle);
  const napi_status status = napi_queue_async_work(env, work->real);
  if (status != napi_ok) return status;
  ++work->queued;
  work->version->Pinned(PinKind::kAsyncWork);
  return napi_ok;
}

napi_status Cancel(node_api_basic_env env, napi_async_work handle) {
  if (handle == nullptr) return napi_invalid_arg;
  return napi_cancel_async_work(env, From(handle)->real);
}

// uv_queue_work. The request is the addon's and so is its `data`, so the record is found by the
// request, which is the only thing that libuv gives back; a work that ends is rare enough for a
// list.
struct UvWork : Link {
  uv_work_t* request;
  uv_work_cb work;
  uv_after_work_cb after;
  uv_loop_t* loop;
  Image* image;
};

struct UvWorks {
  uv_mutex_t mutex;
  List<UvWork> list;
  UvWorks() { uv_mutex_init(&mutex); }
};

UvWorks& uv_works() {
  static UvWorks* const works = new UvWorks;
  return *works;
}

UvWork* FindUvWork(const uv_work_t* request) {
  UvWorks& works = uv_works();
  uv_mutex_lock(&works.mutex);
  UvWork* found = works.list.front();
  while (found != nullptr && found->request != request) found = works.list.After(found);
  uv_mutex_unlock(&works.mutex);
  return found;
}

void ForgetUvWork(UvWork* work) {
  uv_mutex_lock(&uv_works().mutex);
  work->Unlink();
  uv_mutex_unlock(&uv_works().mutex);
}

void EndUvWork(UvWork* work) {
  Image* const image = work->image;
  delete work;
  image->ReleaseCounted(&image->uv_work);
}

int QueueUvWork(uv_loop_t* loop, uv_work_t* request, uv_work_cb work, uv_after_work_cb after) {
  const auto* const code = reinterpret_cast<const void*>(work);
  Image* const image = Image::Find(code, __builtin_return_address(0));
  if (image == nullptr || work == nullptr) return uv_queue_work(loop, request, work, after);
  auto* const record = new UvWork;
  record->request = request;
  record->work = work;
  record->after = after;
  record->loop = loop;
  record->image = image;
  image->Acquire();
  image->uv_work.fetch_add(1);
  uv_mutex_lock(&uv_works().mutex);
  uv_works().list.PushFront(record);
  uv_mutex_unlock(&uv_works().mutex);
  const int status = uv_queue_work(
      loop, request, [](uv_work_t* request) { FindUvWork(request)->work(request); },
      [](uv_work_t* request, int status) {
        // The callback may free the request, or queue it anew.
        UvWork* const record = FindUvWork(request);
        ForgetUvWork(record);
        if (record->after != nullptr) record->after(request, status);
        EndUvWork(record);
      });
  if (status != 0) {
    ForgetUvWork(record);
    EndUvWork(record);
  }
  return status;
}

}  // namespace

namespace interpose {

size_t CountUvWork(const Image* image, napi_env env) {
  uv_loop_t* loop = nullptr;
  if (image->uv_work.load() == 0 || napi_get_uv_event_loop(env, &loop) != napi_ok) return 0;
  UvWorks& works = uv_works();
  size_t count = 0;
  uv_mutex_lock(&works.mutex);
  for (UvWork* work = works.list.front(); work != nullptr; work = works.list.After(work)) {
    if (work->image == image && work->loop == loop) ++count;
  }
  uv_mutex_unlock(&works.mutex);
  return count;
}

void AddAsyncWork(Table* table) {
  table->Add("napi_create_async_work", Create);
  table->Add("napi_delete_async_work", Delete);
  table->Add("napi_queue_async_work", Queue);
  table->Add("napi_cancel_async_work", Cancel);
  table->Add("uv_queue_work", QueueUvWork);
}

}  // namespace interpose
}  // namespace napi_reload
