# The shim, for a binding.gyp in the folder above. That one is not in the package: package managers would compile the
# shim at once, while most systems take the one that is compiled already. Other paths than those of sources are seen
# from the build folder, which is beside this one.
{
  "targets": [
    {
      "target_name": "napi_reload",
      "sources": [
        "anatomy.cc",
        "api_version.cc",
        "binding.cc",
        "binding_doctor.cc",
        "binding_facades.cc",
        "binding_instances.cc",
        "binding_ledger.cc",
        "binding_memory.cc",
        "binding_threads.cc",
        "copy.cc",
        "dependencies.cc",
        "elf.cc",
        "facades.cc",
        "facts.cc",
        "hash.cc",
        "hazards.cc",
        "holdings.cc",
        "image.cc",
        "image_keys.cc",
        "image_sharing.cc",
        "imports.cc",
        "instances.cc",
        "interpose/async_work.cc",
        "interpose/classes.cc",
        "interpose/externals.cc",
        "interpose/functions.cc",
        "interpose/lifecycle.cc",
        "interpose/properties.cc",
        "interpose/references.cc",
        "interpose/table.cc",
        "interpose/thread_locals.cc",
        "interpose/threads.cc",
        "interpose/threadsafe_functions.cc",
        "interpose/watched.cc",
        "interpose/wraps.cc",
        "load.cc",
        "loadable.cc",
        "loadable_lookups.cc",
        "loadable_relocations.cc",
        "loader_cache.cc",
        "memory.cc",
        "object_numbers.cc",
        "old_systems.cc",
        "pins.cc",
        "posix.cc",
        "private_libraries.cc",
        "pristine.cc",
        "probe.cc",
        "rebind.cc",
        "rebind_addon.cc",
        "rebind_copy.cc",
        "retire.cc",
        "run_path.cc",
        "slot_finder.cc",
        "slots.cc",
        "source_file.cc",
        "stage.cc",
        "stage_parent.cc",
        "strings.cc",
        "sweep.cc",
        "thread_barrier.cc",
        "transfer.cc",
        "version.cc",
        "whole.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=9",
        "NAPI_DISABLE_CPP_EXCEPTIONS",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "_FILE_OFFSET_BITS=64"
      ],
      # Node's own, which would come last: it makes the shim a seventh larger for nothing that can be measured.
      "cflags!": ["-O3"],
      # A compiler that is newer than ours may warn of more; that must not stop an installation.
      "cflags": ["-O2", "-Wall", "-Wextra", "<!@(node -p \"process.env.CI ? '-Werror' : '-Wno-error'\")", "-fvisibility=hidden", "-fno-plt",
                 "-include", "../native/old_systems.h"],
      # Unique symbols would keep the shim mapped after the last Worker that loaded it.
      "cflags_cc": ["-std=c++17", "-fno-gnu-unique", "-fvisibility-inlines-hidden", "-Wno-missing-field-initializers"],
      # pthread_exit() and a cancelled thread unwind through our frames, whose destructors must run.
      "cflags_cc!": ["-fno-exceptions"],
      # Templates of the standard library are visible whatever the flags say: Node's own could take the place of ours.
      "ldflags": ["-Wl,--version-script=../native/exports.map"],
      "conditions": [["OS=='linux'", {"libraries": ["-ldl"]}]]
    }
  ]
}
