/** No function of Node-API is forgotten: each one is interposed, or listed here with the reason why it need not be. */
import { createRequire } from 'node:module';
import { afterAll, describe, expect, test } from 'vitest';
import { ledgerUse, removeFolder } from '../../fixtures/ledger/load.mjs';

interface SymbolLists {
  readonly js_native_api_symbols?: readonly string[];
  readonly node_api_symbols?: readonly string[];
}

const require = createRequire(import.meta.url);
const headers = require('node-api-headers') as { readonly symbols: Readonly<Record<string, SymbolLists>> };
const known = new Set(
  Object.values(headers.symbols).flatMap((lists) => [
    ...(lists.js_native_api_symbols ?? []),
    ...(lists.node_api_symbols ?? []),
  ]),
);
const interposed = new Set(ledgerUse().redirects);

/** Completes "it is harmless because it …". */
const HARMLESS: Readonly<Record<string, RegExp>> = {
  'makes a value and keeps no pointer':
    /^(?:napi_create_(?:array|array_with_length|bigint_u?int64|double|error|u?int32|int64|object|range_error|string_(?:latin1|utf8|utf16)|symbol|type_error)|node_api_(?:create_(?:property_key_\w+|syntax_error|object_with_properties|sharedarraybuffer|buffer_from_arraybuffer)|symbol_for))$/,
  'reads a value':
    /^(?:napi_get_(?:array_length|arraybuffer_info|boolean|buffer_info|dataview_info|date_value|global|last_error_info|new_target|node_version|null|typedarray_info|undefined|value_\w+|version)|napi_is_\w+|napi_typeof|node_api_is_sharedarraybuffer|napi_detach_arraybuffer)$/,
  'opens or closes a scope, which ends with the call':
    /^napi_(?:open|close)_(?:(?:escapable_)?handle|callback)_scope$|^napi_escape_handle$/,
  'names the file that its env was made for, which is the source': /^node_api_get_module_file_name$/,
  "takes a handle of Node's own and no pointer of the addon":
    /^napi_(?:async_init|async_destroy|(?:acquire|call|ref|release|unref)_threadsafe_function|adjust_external_memory|fatal_error|fatal_exception|get_and_clear_last_exception)$/,
  'gives the event loop, whose handles native/hazards.cc finds': /^napi_get_uv_event_loop$/,
};

/** Interposed by name, on a Node.js that has them. */
const NEWER = [
  'node_api_create_external_sharedarraybuffer',
  'node_api_create_external_string_latin1',
  'node_api_create_external_string_utf16',
  'node_api_post_finalizer',
];
const isHarmless = (name: string): boolean => Object.values(HARMLESS).some((names) => names.test(name));

afterAll(removeFolder);

describe('the ledger', () => {
  test('interposes every function of Node-API that may keep a pointer', () => {
    expect(known.size).toBeGreaterThan(100);
    const forgotten = [...known].filter(
      (name) => !interposed.has(name) && !isHarmless(name) && !NEWER.includes(name),
    );
    expect(forgotten).toEqual([]);
  });

  test.each(Object.keys(HARMLESS))('lists functions of which one "%s"', (reason) => {
    expect([...known].filter((name) => HARMLESS[reason]?.test(name))).not.toEqual([]);
  });

  test('interposes beside Node-API what starts threads and keeps pointers in the C library', () => {
    const others = [...interposed].filter((name) => !known.has(name));
    expect(others).toEqual(
      expect.arrayContaining(['pthread_create', 'pthread_key_create', 'uv_queue_work', 'uv_thread_create']),
    );
  });
});
