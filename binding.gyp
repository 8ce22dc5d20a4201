{ "includes": ["native/shim.gypi"] }
