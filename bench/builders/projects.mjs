// One small addon, described for each builder.
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** @param {number} number what `value()` returns */
const sourceOf = (number) => `#include <napi.h>
static Napi::Value Value(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), ${number}); }
static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("value", Napi::Function::New(env, Value));
  return exports;
}
NODE_API_MODULE(kernel, Init)
`;

const GYP = `{ 'targets': [ { 'target_name': 'kernel', 'sources': ['kernel.cc'],
  'include_dirs': ["<!(node -p \\"require('node-addon-api').include_dir\\")"],
  'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS'] } ] }`;

const CMAKE = `cmake_minimum_required(VERSION 3.15)
project(kernel CXX)
set(CMAKE_CXX_STANDARD 17)
add_library(kernel MODULE kernel.cc)
set_target_properties(kernel PROPERTIES PREFIX "" SUFFIX ".node")
target_include_directories(kernel PRIVATE \${CMAKE_JS_INC})
target_compile_definitions(kernel PRIVATE NAPI_VERSION=8 NAPI_DISABLE_CPP_EXCEPTIONS)
`;

/** By what describes them; a command needs nothing. @typedef {'binding.gyp' | 'CMakeLists.txt' | 'nothing'} Description */

/** Where each of them has its addon, below its folder. */
export const ADDON = 'build/Release/kernel.node';
export const SOURCE = 'kernel.cc';

/** @param {string} folder which does not exist yet @param {Description} description */
export function makeProject(folder, description) {
  mkdirSync(path.join(folder, path.dirname(ADDON)), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  writeFileSync(path.join(folder, 'package.json'), '{ "binary": { "napi_versions": [8] } }');
  if (description !== 'nothing')
    writeFileSync(path.join(folder, description), description === 'binding.gyp' ? GYP : CMAKE);
  save(folder, 0);
}

/** As editors save. @param {string} folder @param {number} number what `value()` returns from then on */
export function save(folder, number) {
  writeFileSync(path.join(folder, `${SOURCE}~`), sourceOf(number));
  renameSync(path.join(folder, `${SOURCE}~`), path.join(folder, SOURCE));
}
