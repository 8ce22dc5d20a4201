// Classes of plain functions, for two reasons.
//
// V8 looks at the receiver of each method of napi_define_class: it must have been made by that very
// class. An object that moves to another version (instances.h) was made by another one.
// And V8 before 12 keeps each such function in its context for good, and with it the class, its
// prototype and all that hangs on them: 5.7 KB for a class of three members. Functions of
// napi_create_function are collected: https://github.com/nodejs/node/issues/28988. Not so those of
// a class that `new` was called on itself, which no live export is: docs/limits.md.
//
// What is lost is that look, "Illegal invocation", without which an addon would take another
// class's memory for its own; so the ledger looks itself:
// 1. What a constructor wraps in the object that `new` gave it is noted as of its class.
// 2. So is the object itself, when nothing was wrapped in it, or no more is.
// 3. A method takes the receivers that its class made, and no others, such as a Proxy of one.

#ifndef NAPI_RELOAD_INTERPOSE_CLASSES_H_
#define NAPI_RELOAD_INTERPOSE_CLASSES_H_

#include <node_api.h>

#include "../slots.h"

namespace napi_reload::interpose {

// napi_define_class. `result` is left alone on failure.
napi_status DefinePlainClass(napi_env env, const char* name, size_t length,
                             napi_callback constructor, void* data, size_t count,
                             const napi_property_descriptor* properties, napi_value* result);

// Called when an object of a class has no memory, or lost it.
void NoteUnwrapped(Gate* gate, napi_value object, uint64_t class_id);

// Called when an object was wrapped by code that entered `gate`.
void NoteWrapped(napi_env env, Gate* gate, napi_value object, Holding* holding);

}  // namespace napi_reload::interpose

#endif  // NAPI_RELOAD_INTERPOSE_CLASSES_H_
