// Destructors of thread_local objects, and pthread keys.
//
// The C library keeps an image mapped until every thread that has such an object ends, which is
// never for the main thread. The ledger keeps the destructors itself: those of the thread that
// unloads run then, those of other threads are a pin until their thread ends.

#ifndef NAPI_RELOAD_INTERPOSE_THREAD_LOCALS_H_
#define NAPI_RELOAD_INTERPOSE_THREAD_LOCALS_H_

#include <cstddef>

#include "../image.h"

namespace napi_reload {

// How many destructors of the image this thread owes.
size_t CountThreadLocals(const Image* image);
// Runs those of this thread, the last registered first, and forgets them.
void RunThreadLocals(Image* image);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_INTERPOSE_THREAD_LOCALS_H_
