%% A module that is a NIF. Where the library lies, the loader of it says.
-module(native).
-export([add/2]).
-on_load(init/0).

init() -> erlang:load_nif(persistent_term:get(library), 0).
add(_, _) -> erlang:nif_error(not_loaded).
