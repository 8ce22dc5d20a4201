// A doubly linked list whose links are part of the records: to take one out needs no search and no
// memory. It owns nothing. Threads: as the records.

#ifndef NAPI_RELOAD_LIST_H_
#define NAPI_RELOAD_LIST_H_

#include <cstddef>

namespace napi_reload {

// Base of a record that can be in one list of its kind.
struct Link {
  Link() : previous(this), next(this) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  bool linked() const { return next != this; }

  void Unlink() {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
  }

  Link* previous;
  Link* next;
};

template <typename T>
class List {
 public:
  bool empty() const { return !head_.linked(); }
  T* front() const { return empty() ? nullptr : static_cast<T*>(head_.next); }

  void PushFront(T* record) { Insert(record, &head_); }
  void PushBack(T* record) { Insert(record, head_.previous); }

  // The record after this one, or nullptr at the end.
  T* After(const T* record) const {
    return record->next == &head_ ? nullptr : static_cast<T*>(record->next);
  }

 private:
  static void Insert(T* record, Link* after) {
    Link* link = record;
    link->previous = after;
    link->next = after->next;
    after->next->previous = link;
    after->next = link;
  }

  Link head_;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_LIST_H_
