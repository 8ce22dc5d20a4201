// Which slots the function objects have that a facade shall enter.
//
// A function of Node-API does not lead to its slot. Asked for in the order in which they were made,
// each is found by one comparison. What is not found in a few is looked up by identity, slot by
// slot: to compare every pair takes most of a second for 2,000 functions in another order.

#ifndef NAPI_RELOAD_SLOT_FINDER_H_
#define NAPI_RELOAD_SLOT_FINDER_H_

#include <node_api.h>

#include <vector>

#include "slots.h"

namespace napi_reload {

// The slots of function objects, among those that the gate's version made; nullptr for those that
// have none, and for classes.
std::vector<Slot*> FindSlots(napi_env env, const Gate* gate,
                             const std::vector<napi_value>& functions);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_SLOT_FINDER_H_
