%% A child that copies the library to a path that was never used, upgrades the module to it, and purges the old code;
%% bench/measure/turns.mjs says what is asked. Arguments: the file, a folder, the compiled module.
-module(upgrade).
-export([main/1]).

main([Built, Folder, Beam]) ->
    ets:new(bench, [named_table, public]),
    {ok, Code} = file:read_file(Beam),
    serve(Built, Folder, Code, 1).

serve(Built, Folder, Code, Number) ->
    case io:get_line("") of
        "reload " ++ Version ->
            {First, Ended} = load(Built, Folder, Code, Number, list_to_integer(string:trim(Version))),
            io:format("{\"first\":~.6f,\"ended\":~.6f}~n", [First, Ended]),
            serve(Built, Folder, Code, Number + 1);
        "collect" ++ _ ->
            _ = [erlang:garbage_collect(Pid) || Pid <- processes()],
            io:format("{}~n"),
            serve(Built, Folder, Code, Number);
        eof ->
            halt(0)
    end.

load(Built, Folder, Code, Number, Version) ->
    Library = filename:join(Folder, "copy-" ++ integer_to_list(Number)),
    File = Library ++ ".so",
    Start = erlang:monotonic_time(nanosecond),
    {ok, _} = file:copy(Built, File),
    ets:insert(bench, {library, Library}),
    {module, native} = code:load_binary(native, "native.beam", Code),
    Version = native:version(),
    First = since(Start),
    _ = code:purge(native),
    Ended = since(Start),
    ok = file:delete(File),
    {First, Ended}.

since(Start) -> (erlang:monotonic_time(nanosecond) - Start) / 1.0e6.
