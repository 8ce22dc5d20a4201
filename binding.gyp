{
  "targets": [
    {
      "target_name": "napi_reload",
      "sources": [
        "native/binding.cc",
        "native/binding_facades.cc",
        "native/binding_instances.cc",
        "native/binding_ledger.cc",
        "native/copy.cc",
        "native/elf.cc",
        "native/facades.cc",
        "native/facts.cc",
        "native/hash.cc",
        "native/hazards.cc",
        "native/holdings.cc",
        "native/image.cc",
        "native/image_keys.cc",
        "native/image_sharing.cc",
        "native/instances.cc",
        "native/interpose/async_work.cc",
        "native/interpose/classes.cc",
        "native/interpose/externals.cc",
        "native/interpose/functions.cc",
        "native/interpose/lifecycle.cc",
        "native/interpose/properties.cc",
        "native/interpose/references.cc",
        "native/interpose/table.cc",
        "native/interpose/thread_locals.cc",
        "native/interpose/threads.cc",
        "native/interpose/threadsafe_functions.cc",
        "native/interpose/watched.cc",
        "native/interpose/wraps.cc",
        "native/load.cc",
        "native/loadable.cc",
        "native/loadable_lookups.cc",
        "native/loadable_relocations.cc",
        "native/object_numbers.cc",
        "native/pins.cc",
        "native/posix.cc",
        "native/private_libraries.cc",
        "native/probe.cc",
        "native/rebind.cc",
        "native/rebind_addon.cc",
        "native/rebind_copy.cc",
        "native/retire.cc",
        "native/run_path.cc",
        "native/slot_finder.cc",
        "native/slots.cc",
        "native/source_file.cc",
        "native/stage.cc",
        "native/strings.cc",
        "native/sweep.cc",
        "native/version.cc",
        "native/whole.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=9",
        "NAPI_DISABLE_CPP_EXCEPTIONS",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "_FILE_OFFSET_BITS=64"
      ],
      # A compiler that is newer than ours may warn of more; that must not stop an installation.
      "cflags": ["-O2", "-Wall", "-Wextra", "<!@(node -p \"process.env.CI ? '-Werror' : '-Wno-error'\")", "-fvisibility=hidden", "-fno-plt"],
      # Unique symbols would keep the shim mapped after the last Worker that loaded it.
      "cflags_cc": ["-std=c++17", "-fno-gnu-unique", "-fvisibility-inlines-hidden", "-Wno-missing-field-initializers"],
      # pthread_exit() and a cancelled thread unwind through our frames, whose destructors must run.
      "cflags_cc!": ["-fno-exceptions"],
      "conditions": [["OS=='linux'", {"libraries": ["-ldl"]}]]
    }
  ]
}
