/** What compilers say of the headers: under which flags they are clean, what they refuse, and what they make it read. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { include } from '../../../src/headers.ts';
import { createScratch, FIXTURES } from '../../support/addons.ts';
import { compile, headerFiles, requireAnew, WARNINGS } from './support.ts';

const C = path.join(FIXTURES, 'headers/hooks.c');
const CPP = path.join(FIXTURES, 'headers/hooks.cc');
const WITHOUT_EXCEPTIONS = ['-fno-exceptions', '-DNAPI_DISABLE_CPP_EXCEPTIONS'];
const MAYBE = '-DNODE_ADDON_API_ENABLE_MAYBE';

/** Whether Debian's clang or any other is there. */
const hasClang = ((): boolean => {
  try {
    return compile('clang++', ['--version']).status === 0;
  } catch {
    return false;
  }
})();
const families = [
  { c: 'gcc', cpp: 'g++', skip: false },
  { c: 'clang', cpp: 'clang++', skip: !hasClang },
];

describe.each(families)('$cpp', ({ c, cpp, skip }) => {
  test.skipIf(skip).each([
    ['c++17', 6, ['-DNAPI_CPP_EXCEPTIONS']],
    ['c++17', 9, WITHOUT_EXCEPTIONS],
    ['c++20', 7, ['-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL']],
    // The fixture is not written for values that may be missing; the header must be.
    ['c++20', 8, [...WITHOUT_EXCEPTIONS, MAYBE]],
    ['c++2b', 6, ['-fno-rtti']],
  ])('has no complaint as %s with NAPI_VERSION %i and %s', (standard, version, flags) => {
    const alone = ['-x', 'c++', '-include', 'napi_reload.hpp', '/dev/null'];
    const source = flags.includes(MAYBE) ? alone : [CPP];
    const all = [`-std=${standard}`, `-DNAPI_VERSION=${version}`, ...flags, '-Wold-style-cast', ...WARNINGS];
    expect(compile(cpp, ['-fsyntax-only', ...all, ...source]).stderr).toBe('');
  });

  test.skipIf(skip).each([
    ['c99', 6],
    ['c11', 8],
    ['gnu17', 9],
  ])('has no complaint about C as %s with NAPI_VERSION %i', (standard, version) => {
    const all = [`-std=${standard}`, `-DNAPI_VERSION=${version}`, '-Wstrict-prototypes', ...WARNINGS];
    expect(compile(c, ['-fsyntax-only', ...all, C]).stderr).toBe('');
  });

  test.skipIf(skip)('has no complaint about napi_reload.h in C++ without node-addon-api', () => {
    using scratch = createScratch();
    const source = scratch.write(
      'plain.cc',
      `#include "napi_reload.h"
       static void Init(napi_env, const napi_reload_context* context) {
         NAPI_RELOAD_MEMORY(context, double, "m", 4, napi_reload_memory_grow);
       }
       NAPI_MODULE_INIT() {
         napi_reload_hooks hooks = {};
         hooks.init = Init;
         napi_reload_define(env, exports, &hooks);
         return exports;
       }`,
    );
    const all = ['-std=c++17', '-DNAPI_VERSION=8', '-Wno-unused-value', '-Wold-style-cast', ...WARNINGS];
    expect(compile(cpp, ['-fsyntax-only', ...all, source]).stderr).toBe('');
  });
});

describe('two files of one addon', () => {
  const header = path.join(FIXTURES, 'headers/twice.h');
  const look = `#include "${header}"
    napi_value look(napi_env env, napi_callback_info info) {
      (void)info;
      return napi_reload_plain_context(env).object;
    }`;
  /** @param hooks what makes the hook object, with `Save` */
  const main = (hooks: string) => `#include "${header}"
    ${hooks}
    NAPI_MODULE_INIT() {
      napi_value function;
      napi_create_function(env, "look", NAPI_AUTO_LENGTH, look, NULL, &function);
      napi_set_named_property(env, exports, "look", function);
      define(env, exports);
      return exports;
    }`;
  const inC = `
    static napi_value Save(napi_env env) { return napi_reload_plain_context(env).object; }
    static const napi_reload_hooks hooks = {.save = Save};
    static void define(napi_env env, napi_value exports) { napi_reload_define(env, exports, &hooks); }`;
  const inCpp = `
    static napi_value Save(Napi::Env env) { return napi_reload_plain_context(env).object; }
    static void define(Napi::Env env, napi_value exports) {
      napi_reload::Hooks(Napi::Object(env, exports)).Save<&Save>();
    }`;

  test.each([
    ['gcc', '-std=c99', 'c', inC],
    ['g++', '-std=c++17', 'cc', inCpp],
  ])('may both include the header, with %s', (compiler, standard, extension, hooks) => {
    using scratch = createScratch();
    const sources = [
      scratch.write(`main.${extension}`, main(hooks)),
      scratch.write(`look.${extension}`, look),
    ];
    const output = scratch.file('twice.node');
    const all = [standard, ...WARNINGS, '-DNAPI_VERSION=8', '-fPIC', '-shared'];
    expect(compile(compiler, [...all, ...sources, '-o', output]).stderr).toBe('');
    const { look: looks, napiReload } = requireAnew(output);
    expect(looks({})).toMatchObject({ reason: 'first' });
    expect(napiReload.save()).toMatchObject({ reason: 'first' });
  });
});

describe('a mistake does not compile', () => {
  const OWNER = `
    struct Owner {
      void Nothing() {}
      int Number() { return 1; }
      Napi::Value State(Napi::Env env) { return env.Undefined(); }
      Owner* Pointer() { return this; }
      void TakesText(const char*) {}
    };
    struct Plain {};
    class Wrapped : public Napi::ObjectWrap<Wrapped> {
     public:
      using Napi::ObjectWrap<Wrapped>::ObjectWrap;
      void Nothing() {}
      int Number() { return 1; }
      static void NoArgs() {}
    };
    using napi_reload::Context;
    struct alignas(128) Wide { double value; };`;
  const hook = (call: string) => `napi_reload::Hooks<Owner>(exports, nullptr).${call};`;
  const ofClass = (call: string) => hook(`Class<Wrapped>("Wrapped").${call}`);
  const memory = (type: string) => `Context::Plain(exports.Env()).Memory<${type}>("name", 1);`;
  const anyHook = 'a hook is a member function of the owner, or a function, that takes what its comment says';

  const mistakes: readonly (readonly [string, string])[] = [
    [hook('Init<&Owner::Number>()'), 'Init returns nothing'],
    [hook('Resume<&Owner::Number>()'), 'Resume returns nothing'],
    [hook('Save<&Owner::Nothing>()'), 'Save returns the state, which Napi::Value::From takes'],
    [hook('Save<&Owner::Pointer>()'), 'Save returns the state, which Napi::Value::From takes'],
    [hook('Prepare<&Owner::Number>()'), 'Prepare returns nothing, or a promise'],
    [hook('Dispose<&Owner::Number>()'), 'Dispose returns nothing, or a promise'],
    [hook('Init<&Owner::TakesText>()'), anyHook],
    [hook('Save<&Wrapped::Number>()'), anyHook],
    [hook('Class<Plain>("Plain")'), 'a class is a Napi::ObjectWrap'],
    [ofClass('Save<&Wrapped::Nothing>()'), 'Save returns the state of an instance'],
    [ofClass('Args<&Wrapped::NoArgs>()'), 'Args returns an array of arguments'],
    [ofClass('Restore<&Wrapped::Number>()'), 'Restore returns nothing'],
    [memory('std::string'), 'T must be trivially copyable'],
    [memory('const char*'), 'a pointer means nothing to the next version'],
    [memory('Wide'), 'memory is aligned to 64 bytes'],
  ];

  test('in C++: the compiler says what is wanted, of each mistake at its line', () => {
    using scratch = createScratch();
    const lines = mistakes.map(([code], index) => `void mistake${index}(Napi::Object exports) { ${code} }`);
    const right = `void right(Napi::Object exports) {
      ${hook('Init<&Owner::Nothing>().Save<&Owner::State>()')} ${ofClass('Save<&Wrapped::Number>()')} }`;
    const check = (name: string, body: string) => {
      const text = `#include "napi_reload.hpp"\n${OWNER}\n${body}\n`;
      return compile('g++', ['-fsyntax-only', '-std=c++17', scratch.write(name, text)]);
    };
    expect(check('right.cc', right).stderr).toBe('');
    const { stderr } = check('wrong.cc', `${right}\n${lines.join('\n')}`);
    for (const [code, sentence] of mistakes) expect(stderr, code).toContain(sentence);
    const first = `#include "napi_reload.hpp"\n${OWNER}\n${right}\n`.split('\n').length;
    for (const [index, [code]] of mistakes.entries()) {
      expect(stderr, code).toMatch(new RegExp(`wrong\\.cc:${first + index}:\\d+:`));
    }
  });

  test('in C: an alignment that memory does not have', () => {
    using scratch = createScratch();
    const text = (type: string) => `#include "napi_reload.h"
      typedef struct { double value; } __attribute__((aligned(128))) Wide;
      void* use(const napi_reload_context* context);
      void* use(const napi_reload_context* context) {
        return NAPI_RELOAD_MEMORY(context, ${type}, "name", 1, napi_reload_memory_fixed);
      }`;
    const check = (type: string) =>
      compile('gcc', ['-fsyntax-only', '-std=c99', scratch.write('memory.c', text(type))]);
    expect(check('double').stderr).toBe('');
    expect(check('Wide').stderr).toContain('memory_is_aligned_to_64_bytes');
  });
});

describe('the cost of an include', () => {
  /** Files that the compiler reads for a header, without our own. */
  function othersRead(compiler: string, flags: readonly string[], header: string): readonly string[] {
    using scratch = createScratch();
    const source = scratch.write(`reads.${compiler === 'gcc' ? 'c' : 'cc'}`, `#include <${header}>\n`);
    const { stdout } = compile(compiler, ['-M', ...flags, source]);
    const files = stdout.replace(/^.*?:/s, '').split(/[\s\\]+/);
    return files.filter((file) => file !== '' && file !== source && !file.startsWith(include)).sort();
  }

  test.each([
    ['gcc', ['-std=c99'], 'node_api.h', 'napi_reload.h'],
    ['g++', ['-std=c++17'], 'napi.h', 'napi_reload.hpp'],
  ])('%s reads no file of others for it', (compiler, flags, base, header) => {
    const before = othersRead(compiler, flags, base);
    expect(before.length).toBeGreaterThan(4);
    expect(othersRead(compiler, flags, header)).toEqual(before);
  });

  test.each([
    ['gcc', ['-std=c99'], 'node_api.h', 'napi_reload.h', 450],
    ['g++', ['-std=c++17'], 'napi.h', 'napi_reload.hpp', 550],
  ])('%s gets few lines more to compile', (compiler, flags, base, header, linesMax) => {
    using scratch = createScratch();
    const linesOf = (name: string): number => {
      const source = scratch.write(`lines.${compiler === 'gcc' ? 'c' : 'cc'}`, `#include <${name}>\n`);
      return compile(compiler, ['-E', '-P', ...flags, source]).stdout.split('\n').length;
    };
    const added = linesOf(header) - linesOf(base);
    expect(added).toBeGreaterThan(0);
    expect(added).toBeLessThan(linesMax);
  });
});

test('each header can be the only one that a file includes', () => {
  using scratch = createScratch();
  for (const header of headerFiles()) {
    const isCpp = header.endsWith('.hpp');
    const source = scratch.write(`alone.${isCpp ? 'cc' : 'c'}`, `#include "${header}"\n`);
    const flags = isCpp ? ['-std=c++17'] : ['-std=c99'];
    expect(compile(isCpp ? 'g++' : 'gcc', ['-fsyntax-only', ...flags, ...WARNINGS, source]).stderr).toBe('');
  }
});
