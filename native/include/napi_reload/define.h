// Of napi_reload.h: makes `exports.napiReload`. Names that end in an underscore are not for use.
#ifndef NAPI_RELOAD_DEFINE_H_
#define NAPI_RELOAD_DEFINE_H_

#include "../napi_reload.h"
#include "errors.h"
#include "object.h"

// A hook is the data of its function: byte by byte, as C has no cast between the two kinds of
// pointers.
NAPI_RELOAD_INLINE_ void napi_reload_copy_(void* to, const void* from) {
  size_t i;
  for (i = 0; i < sizeof(void*); i++) {
    NAPI_RELOAD_CAST_(char*, to)[i] = NAPI_RELOAD_CAST_(const char*, from)[i];
  }
}

NAPI_RELOAD_INLINE_ bool napi_reload_set_hook_(napi_env env, napi_value object, const char* name,
                                               napi_callback call, const void* hook) {
  void* data;
  napi_value function;
  napi_reload_copy_(&data, hook);
  if (data == NULL) return true;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, call, data, &function) == napi_ok &&
         napi_reload_set_(env, object, name, function);
}

NAPI_RELOAD_INLINE_ void napi_reload_enter_(napi_env env, napi_callback_info info, void* hook,
                                            napi_value arguments[2]) {
  void* data = NULL;
  size_t count = 2;
  napi_get_cb_info(env, info, &count, arguments, NULL, &data);
  napi_reload_copy_(hook, &data);
}

NAPI_RELOAD_INLINE_ napi_value napi_reload_call_prepare_(napi_env env, napi_callback_info info) {
  napi_value (*hook)(napi_env, const napi_reload_context*);
  napi_value arguments[2];
  napi_reload_context context;
  napi_reload_enter_(env, info, &hook, arguments);
  context.env = env;
  context.object = arguments[0];
  return hook(env, &context);
}

NAPI_RELOAD_INLINE_ napi_value napi_reload_call_init_(napi_env env, napi_callback_info info) {
  void (*hook)(napi_env, const napi_reload_context*);
  napi_value arguments[2];
  napi_reload_context context;
  napi_reload_enter_(env, info, &hook, arguments);
  context.env = env;
  context.object = arguments[0];
  hook(env, &context);
  return NULL;
}

// Of `save` and `dispose`.
NAPI_RELOAD_INLINE_ napi_value napi_reload_call_save_(napi_env env, napi_callback_info info) {
  napi_value (*hook)(napi_env);
  napi_value arguments[2];
  napi_reload_enter_(env, info, &hook, arguments);
  return hook(env);
}

NAPI_RELOAD_INLINE_ napi_value napi_reload_call_resume_(napi_env env, napi_callback_info info) {
  void (*hook)(napi_env);
  napi_value arguments[2];
  napi_reload_enter_(env, info, &hook, arguments);
  hook(env);
  return NULL;
}

NAPI_RELOAD_INLINE_ bool napi_reload_unwrap_(napi_env env, napi_value instance, void** native) {
  if (napi_unwrap(env, instance, native) == napi_ok) return true;
  napi_reload_fail_(env, "move an instance by", "napi_unwrap", "it wraps nothing");
  return false;
}

NAPI_RELOAD_INLINE_ napi_value napi_reload_call_class_save_(napi_env env, napi_callback_info info) {
  napi_value (*hook)(napi_env, napi_value, void*);
  napi_value arguments[2];
  void* native = NULL;
  napi_reload_enter_(env, info, &hook, arguments);
  if (!napi_reload_unwrap_(env, arguments[0], &native)) return NULL;
  return hook(env, arguments[0], native);
}

NAPI_RELOAD_INLINE_ napi_value napi_reload_call_class_args_(napi_env env, napi_callback_info info) {
  napi_value (*hook)(napi_env, napi_value);
  napi_value arguments[2];
  napi_reload_enter_(env, info, &hook, arguments);
  return hook(env, arguments[0]);
}

NAPI_RELOAD_INLINE_ napi_value napi_reload_call_class_restore_(napi_env env,
                                                               napi_callback_info info) {
  void (*hook)(napi_env, napi_value, void*, napi_value);
  napi_value arguments[2];
  void* native = NULL;
  napi_reload_enter_(env, info, &hook, arguments);
  if (!napi_reload_unwrap_(env, arguments[0], &native)) return NULL;
  hook(env, arguments[0], native, arguments[1]);
  return NULL;
}

NAPI_RELOAD_INLINE_ bool napi_reload_set_class_(napi_env env, napi_value classes,
                                                const napi_reload_class* described) {
  napi_value object;
  return napi_create_object(env, &object) == napi_ok &&
         napi_reload_set_hook_(env, object, "save", napi_reload_call_class_save_,
                               &described->save) &&
         napi_reload_set_hook_(env, object, "args", napi_reload_call_class_args_,
                               &described->args) &&
         napi_reload_set_hook_(env, object, "restore", napi_reload_call_class_restore_,
                               &described->restore) &&
         napi_reload_set_(env, classes, described->name, object);
}

NAPI_RELOAD_INLINE_ bool napi_reload_set_classes_(napi_env env, napi_value object,
                                                  const napi_reload_class* described) {
  napi_value classes;
  size_t i;
  if (described[0].name == NULL) return true;
  if (napi_create_object(env, &classes) != napi_ok) return false;
  for (i = 0; i < NAPI_RELOAD_CLASSES_MAX && described[i].name != NULL; i++) {
    if (!napi_reload_set_class_(env, classes, &described[i])) return false;
  }
  return napi_reload_set_(env, object, "classes", classes);
}

// Makes `exports.napiReload`. The struct is not needed any more when this returns.
NAPI_RELOAD_INLINE_ napi_status napi_reload_define(napi_env env, napi_value exports,
                                                   const napi_reload_hooks* hooks) {
  napi_value object;
  uint32_t accepted = 0;
  while (accepted < NAPI_RELOAD_ACCEPTS_MAX && hooks->accepts[accepted] != 0) accepted++;
  if (napi_create_object(env, &object) == napi_ok &&
      (hooks->schema == 0 || napi_reload_set_schema_(env, object, hooks->schema)) &&
      (accepted == 0 || napi_reload_set_schemas_(env, object, hooks->accepts, accepted)) &&
      napi_reload_set_hook_(env, object, "prepare", napi_reload_call_prepare_, &hooks->prepare) &&
      napi_reload_set_hook_(env, object, "init", napi_reload_call_init_, &hooks->init) &&
      napi_reload_set_hook_(env, object, "save", napi_reload_call_save_, &hooks->save) &&
      napi_reload_set_hook_(env, object, "dispose", napi_reload_call_save_, &hooks->dispose) &&
      napi_reload_set_hook_(env, object, "resume", napi_reload_call_resume_, &hooks->resume) &&
      napi_reload_set_classes_(env, object, hooks->classes) &&
      napi_reload_set_(env, exports, "napiReload", object)) {
    return napi_ok;
  }
  napi_reload_fail_(env, "define", "napiReload", "Node-API refused it");
  return napi_pending_exception;
}

#endif  // NAPI_RELOAD_DEFINE_H_
