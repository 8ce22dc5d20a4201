%% Copies the library to a path that was never used and upgrades the module to it, again and again.
%% Prints the milliseconds of each round, and what each round left: mappings and resident bytes.
-module(upgrade).
-export([main/1]).

main([Built, Beam, Folder, Rounds]) ->
    {ok, Code} = file:read_file(Beam),
    _ = [load(Built, Code, Folder, I) || I <- lists:seq(1, 20)],
    Before = held(),
    Count = list_to_integer(Rounds),
    Times = [load(Built, Code, Folder, I) || I <- lists:seq(21, 20 + Count)],
    {Mappings, Bytes} = held(),
    {MappingsBefore, BytesBefore} = Before,
    io:format("{\"ms\":[~s],\"mappings\":~w,\"bytes\":~w}~n", [
        lists:join(",", [io_lib:format("~.4f", [T]) || T <- Times]),
        (Mappings - MappingsBefore) / Count,
        (Bytes - BytesBefore) / Count
    ]),
    halt(0).

load(Built, Code, Folder, I) ->
    Path = filename:join(Folder, "native" ++ integer_to_list(I)),
    Start = erlang:monotonic_time(nanosecond),
    {ok, _} = file:copy(Built, Path ++ ".so"),
    persistent_term:put(library, Path),
    {module, native} = code:load_binary(native, "native.beam", Code),
    3.0 = native:add(1.0, 2.0),
    Took = (erlang:monotonic_time(nanosecond) - Start) / 1.0e6,
    _ = code:purge(native),
    Took.

held() ->
    {ok, Maps} = file:read_file("/proc/self/maps"),
    {ok, Statm} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = string:split(Statm, " ", all),
    {length(binary:matches(Maps, <<"\n">>)), binary_to_integer(Pages) * 4096}.
