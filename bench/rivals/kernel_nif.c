// The kernel of minimal.c as a NIF of Erlang that can be upgraded.
#include <erl_nif.h>

static ERL_NIF_TERM ReadVersion(ErlNifEnv* env, int count, const ERL_NIF_TERM args[]) {
  return enif_make_int(env, VERSION);
}

static int Load(ErlNifEnv* env, void** data, ERL_NIF_TERM info) { return 0; }
static int Upgrade(ErlNifEnv* env, void** data, void** old, ERL_NIF_TERM info) { return 0; }
static void Unload(ErlNifEnv* env, void* data) {}

static ErlNifFunc functions[] = {{"version", 0, ReadVersion, 0}};
ERL_NIF_INIT(native, functions, Load, NULL, Upgrade, Unload)
