// Lets the shim load on systems that are older than the one that compiled it: those with glibc 2.28
// and the libstdc++ of GCC 8, which is what the binaries of Node.js ask for, too.
//
// Included ahead of every file. glibc moved these functions from one library to another in 2.34,
// and gave them a second version with it; the first one is still the same function.

#ifndef NAPI_RELOAD_OLD_SYSTEMS_H_
#define NAPI_RELOAD_OLD_SYSTEMS_H_

#include <features.h>

#if defined(__x86_64__) && defined(__LP64__) && defined(__GLIBC__)
#define NAPI_RELOAD_OLD_SYSTEMS 1

__asm__(".symver dladdr, dladdr@GLIBC_2.2.5");
__asm__(".symver dlclose, dlclose@GLIBC_2.2.5");
__asm__(".symver dlerror, dlerror@GLIBC_2.2.5");
__asm__(".symver dlopen, dlopen@GLIBC_2.2.5");
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
__asm__(".symver dlvsym, dlvsym@GLIBC_2.2.5");
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_getspecific, pthread_getspecific@GLIBC_2.2.5");
__asm__(".symver pthread_key_create, pthread_key_create@GLIBC_2.2.5");
__asm__(".symver pthread_key_delete, pthread_key_delete@GLIBC_2.2.5");
__asm__(".symver pthread_setspecific, pthread_setspecific@GLIBC_2.2.5");

#endif
#endif  // NAPI_RELOAD_OLD_SYSTEMS_H_
