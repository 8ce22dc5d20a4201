{
  "targets": [
    {
      "target_name": "napi_reload",
      "sources": [
        "native/binding.cc",
        "native/copy.cc",
        "native/elf.cc",
        "native/facts.cc",
        "native/hash.cc",
        "native/posix.cc",
        "native/probe.cc",
        "native/stage.cc",
        "native/sweep.cc",
        "native/whole.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=8",
        "NAPI_DISABLE_CPP_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "_FILE_OFFSET_BITS=64"
      ],
      # A compiler that is newer than ours may warn of more; that must not stop an installation.
      "cflags": ["-O2", "-Wall", "-Wextra", "<!@(node -p \"process.env.CI ? '-Werror' : '-Wno-error'\")", "-fvisibility=hidden"],
      # Unique symbols would keep the shim mapped after the last Worker that loaded it.
      "cflags_cc": ["-std=c++17", "-fno-gnu-unique"],
      "conditions": [["OS=='linux'", {"libraries": ["-ldl"]}]]
    }
  ]
}
