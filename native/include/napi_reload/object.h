// Of napi_reload.h: the object `exports.napiReload`, and what both languages make it of. Names that
// end in an underscore are not for use.
#ifndef NAPI_RELOAD_OBJECT_H_
#define NAPI_RELOAD_OBJECT_H_

#include <stdint.h>

#include "errors.h"

// Makes an ordinary property that must be new: what says a thing twice means one of them. Not by
// setting it, which does something else for a name such as `__proto__`.
NAPI_RELOAD_INLINE_ bool napi_reload_set_(napi_env env, napi_value object, const char* name,
                                          napi_value value) {
  napi_property_descriptor property = {NULL, NULL, NULL, NULL, NULL, NULL, napi_default, NULL};
  bool is_there = false;
  property.value = value;
  property.attributes = NAPI_RELOAD_CAST_(napi_property_attributes,
                                          napi_writable | napi_enumerable | napi_configurable);
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &property.name) != napi_ok ||
      napi_has_own_property(env, object, property.name, &is_there) != napi_ok || is_there ||
      napi_define_properties(env, object, 1, &property) != napi_ok) {
    napi_reload_fail_(env, "define", name,
                      is_there ? "it is there already" : "the object does not take it");
    return false;
  }
  return true;
}

NAPI_RELOAD_INLINE_ bool napi_reload_set_schemas_(napi_env env, napi_value object,
                                                  const uint32_t* schemas, uint32_t count) {
  napi_value list;
  uint32_t i;
  if (napi_create_array_with_length(env, count, &list) != napi_ok) return false;
  for (i = 0; i < count; i++) {
    napi_value schema;
    if (napi_create_uint32(env, schemas[i], &schema) != napi_ok ||
        napi_set_element(env, list, i, schema) != napi_ok) {
      return false;
    }
  }
  return napi_reload_set_(env, object, "accepts", list);
}

NAPI_RELOAD_INLINE_ bool napi_reload_set_schema_(napi_env env, napi_value object, uint32_t schema) {
  napi_value value;
  return napi_create_uint32(env, schema, &value) == napi_ok &&
         napi_reload_set_(env, object, "schema", value);
}

#endif  // NAPI_RELOAD_OBJECT_H_
