{
  "targets": [
    {
      "target_name": "quotes",
      "sources": ["src/addon.cc", "src/histogram.cc", "src/price.cc"],
      "include_dirs": [
        "<!(node -p \"require('node-addon-api').include_dir\")",
        "<!(node -p \"require('napi-reload').include_dir\")"
      ],
      "defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS"],
      "cflags": ["-Wall", "-Wextra", "-fvisibility=hidden"],
      # A symbol that is unique in the process would be shared by all versions of the addon.
      "cflags_cc": ["-std=c++17", "-fno-gnu-unique"],
      "cflags_cc!": ["-fno-exceptions", "-std=gnu++17", "-std=gnu++20"]
    }
  ]
}
