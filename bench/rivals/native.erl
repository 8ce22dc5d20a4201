%% A module that is a NIF. Where the library lies, the loader of it says, in a table: a persistent term that changes makes the
%% whole system look for uses of the old one.
-module(native).
-export([version/0]).
-on_load(init/0).

init() -> erlang:load_nif(ets:lookup_element(bench, library, 2), 0).
version() -> erlang:nif_error(not_loaded).
