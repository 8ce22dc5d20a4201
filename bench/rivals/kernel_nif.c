// The kernel of minimal.c as a NIF of Erlang that can be upgraded.
#include <erl_nif.h>

static ERL_NIF_TERM Noop(ErlNifEnv* env, int count, const ERL_NIF_TERM args[]) {
  return enif_make_atom(env, "undefined");
}

static ERL_NIF_TERM Add(ErlNifEnv* env, int count, const ERL_NIF_TERM args[]) {
  double a, b;
  if (count != 2 || !enif_get_double(env, args[0], &a) || !enif_get_double(env, args[1], &b))
    return enif_make_badarg(env);
  return enif_make_double(env, a + b);
}

static ERL_NIF_TERM ReadVersion(ErlNifEnv* env, int count, const ERL_NIF_TERM args[]) {
  return enif_make_int(env, VERSION);
}

static int Load(ErlNifEnv* env, void** data, ERL_NIF_TERM info) { return 0; }
static int Upgrade(ErlNifEnv* env, void** data, void** old, ERL_NIF_TERM info) { return 0; }
static void Unload(ErlNifEnv* env, void* data) {}

static ErlNifFunc functions[] = {
    {"noop", 0, Noop, 0}, {"add", 2, Add, 0}, {"version", 0, ReadVersion, 0}};
ERL_NIF_INIT(native, functions, Load, NULL, Upgrade, Unload)
