%% A module that is a NIF. Where the library lies, the loader of it says, in a table: a persistent term that changes makes the
%% whole system look for uses of the old one.
-module(native).
-export([noop/0, add/2, version/0]).
-on_load(init/0).

init() -> erlang:load_nif(ets:lookup_element(bench, library, 2), 0).
noop() -> erlang:nif_error(not_loaded).
add(_, _) -> erlang:nif_error(not_loaded).
version() -> erlang:nif_error(not_loaded).
