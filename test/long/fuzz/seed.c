// The smallest addon. The macros give it what a reader of images may meet.
typedef void* Pointer;
extern int napi_create_function(Pointer, Pointer, long, Pointer, Pointer, Pointer*);
extern int napi_wrap(Pointer, Pointer, Pointer, Pointer, Pointer, Pointer*);

#ifdef UNIQUE
__asm__(
    ".globl counter\n.type counter, @gnu_unique_object\n.data\ncounter: .quad 0\n.size counter, "
    "8\n.text");
#endif
#ifdef THREADS
extern int pthread_create(Pointer, Pointer, Pointer, Pointer);
extern int uv_fs_open(void);
#endif
#ifdef LOOKUP
extern Pointer dlsym(Pointer, const char*);
const char name_of_wrap[] = "napi_wrap";
#endif
#ifdef LIBRARY
extern int core(void);
#endif

int node_api_module_get_api_version_v1(void) { return 8; }

Pointer napi_register_module_v1(Pointer env, Pointer exports) {
  Pointer result;
  napi_create_function(env, 0, 0, 0, 0, &result);
  napi_wrap(env, exports, 0, 0, 0, 0);
#ifdef THREADS
  pthread_create(0, 0, 0, 0);
  uv_fs_open();
#endif
#ifdef LOOKUP
  dlsym(0, name_of_wrap);
#endif
#ifdef LIBRARY
  core();
#endif
  return exports;
}
