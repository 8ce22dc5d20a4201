/** Every hazard, provoked by a real file: compiled, linked or cut for it. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/doctor/diagnose.ts';
import { type Diagnosis, HAZARD_CODES, type HazardCode, isLoadable } from '../../../src/doctor/diagnosis.ts';
import { addonSource, compile, scratch, shim } from '../native/shim.ts';

/** An addon with more code in it, linked with more flags. */
function addon(code: string, flags: readonly string[] = [], folder = scratch()): string {
  return compile(folder, 'addon', addonSource(code), flags);
}

/** An addon that tells its Node-API version by this code. */
function versioned(body: string, flags: readonly string[] = []): string {
  const code = `int node_api_module_get_api_version_v1(void) { ${body} }\nvoid napi_register_module_v1(void) {}`;
  return compile(scratch(), 'addon', code, flags);
}

function library(folder: string, name: string, code: string, flags: readonly string[] = []): string {
  const built = compile(folder, name.replace(/^lib|\.so$/g, ''), code, [`-Wl,-soname,${name}`, ...flags]);
  const file = path.join(folder, name);
  execFileSync('mv', [built, file]);
  return file;
}

/** Bytes of an addon, changed. */
function edited(edit: (bytes: Buffer) => void): string {
  const file = addon('');
  const bytes = readFileSync(file);
  edit(bytes);
  writeFileSync(file, bytes);
  return file;
}

const OTHER_MACHINE = process.arch === 'arm64' ? 62 : 183;
const call = (declaration: string, statement: string): string =>
  `${declaration};\n__attribute__((visibility("default"))) void use(void *a) { (void)a; ${statement}; }`;

const CASES: Readonly<Record<HazardCode, () => string>> = {
  unreadable: () => path.join(scratch(), 'nobody.node'),
  'not-elf': () => {
    const file = path.join(scratch(), 'text.node');
    writeFileSync(file, 'module.exports = 1;\n');
    return file;
  },
  truncated: () => {
    const file = addon('');
    truncateSync(file, 6000);
    return file;
  },
  malformed: () => edited((bytes) => bytes.fill(0xff, 0x36, 0x38)),
  'wrong-arch': () => edited((bytes) => bytes.writeUInt16LE(OTHER_MACHINE, 18)),
  'not-shared': () => edited((bytes) => bytes.writeUInt16LE(2, 16)),
  'no-entry': () => compile(scratch(), 'addon', 'int nothing;'),
  'v8-abi': () => compile(scratch(), 'addon', 'void node_register_module_v115(void) {}'),
  'napi-version': () => versioned('return 99;'),
  'missing-library': () => {
    const folder = scratch();
    library(folder, 'libgone.so', 'int gone(void) { return 1; }');
    const file = addon(call('int gone(void)', 'gone()'), [`-L${folder}`, '-lgone'], folder);
    execFileSync('rm', [path.join(folder, 'libgone.so')]);
    return file;
  },
  'undefined-symbol': () => addon(call('int nobody_has_it(void)', 'nobody_has_it()')),
  'no-delete': () => addon('', ['-Wl,-z,nodelete']),
  'node-api-by-name': () => addon(call('#include <dlfcn.h>\n', 'dlsym(a, "napi_create_function")')),
  'past-node-api': () =>
    addon(call('void _ZN4node4StopEPNS_11EnvironmentE(void *)', '_ZN4node4StopEPNS_11EnvironmentE(a)')),
  unfollowed: () => addon(call('int on_exit(void (*)(int, void *), void *)', 'on_exit(0, a)')),
  'not-followed': () => {
    const folder = scratch();
    // A name without room for another of the same length.
    library(folder, 'l.so', 'int little(void) { return 1; }');
    return addon(
      call('int little(void)', 'little()'),
      [path.join(folder, 'l.so'), '-Wl,-rpath,$ORIGIN'],
      folder,
    );
  },
  'static-tls': () =>
    addon('__thread int counted; int count(void) { return ++counted; }', ['-ftls-model=initial-exec']),
  'executable-stack': () => addon('', ['-Wl,-z,execstack']),
  'run-path': () => addon('', ['-Wl,-rpath,/opt/elsewhere:$ORIGIN']),
  'unique-symbols': () =>
    addon('__asm__(".globl u\\n.type u, @gnu_unique_object\\n.data\\nu: .quad 0\\n.size u, 8\\n.text\\n");'),
  'private-libraries': () => {
    const folder = scratch();
    library(folder, 'libcore.so', 'int core(void) { return 1; }');
    return addon(
      call('int core(void)', 'core()'),
      [path.join(folder, 'libcore.so'), '-Wl,-rpath,$ORIGIN'],
      folder,
    );
  },
  threads: () =>
    addon(call('#include <pthread.h>\n', 'pthread_t t; pthread_create(&t, 0, (void *(*)(void *))use, a)')),
  'thread-locals': () =>
    addon(
      call(
        'int __cxa_thread_atexit_impl(void (*)(void *), void *, void *)',
        '__cxa_thread_atexit_impl((void (*)(void *))use, a, a)',
      ),
    ),
  'pthread-keys': () =>
    addon(call('#include <pthread.h>\n', 'pthread_key_t key; pthread_key_create(&key, use)')),
  'uv-handles': () => addon(call('int uv_timer_init(void *, void *)', 'uv_timer_init(a, a)')),
  'uv-requests': () =>
    addon(call('int uv_fs_stat(void *, void *, const char *, void *)', 'uv_fs_stat(a, a, "", a)')),
  signals: () => addon(call('#include <signal.h>\n', 'signal(1, SIG_IGN)')),
};

const codes = ({ hazards }: Diagnosis): readonly HazardCode[] => hazards.map(({ code }) => code);

/** What cannot come without another one. */
const COMPANIONS: Partial<Record<HazardCode, readonly HazardCode[]>> = {
  'not-followed': ['not-followed', 'private-libraries'],
};

/** What says in which way a version stays or goes. */
const REASONS: Partial<Record<HazardCode, readonly string[]>> = {
  threads: ['thread (pthread_create)'],
  'thread-locals': ['thread-local (__cxa_thread_atexit_impl)'],
  'uv-handles': ['uv-handle (uv_timer_init)'],
  'uv-requests': ['uv-request (uv_fs_stat)'],
  signals: ['signal-handler (signal)'],
};

const NEVER: readonly HazardCode[] = [
  ...(['unreadable', 'not-elf', 'truncated', 'malformed', 'not-shared'] as const),
  ...(['no-delete', 'node-api-by-name', 'past-node-api', 'unfollowed', 'not-followed'] as const),
];

describe.each(HAZARD_CODES.map((code) => [code, HAZARD_CODES.indexOf(code)] as const))(
  '%s',
  (code, index) => {
    test('is found, alone, with what to do about it', () => {
      const diagnosis = diagnose(CASES[code](), shim);
      expect(codes(diagnosis)).toEqual(COMPANIONS[code] ?? [code]);
      for (const { detail, remedy } of diagnosis.hazards) {
        expect(detail).toMatch(/^[^A-Z].*[^.]$/);
        expect(remedy).toMatch(/^[^A-Z].*[^.]$/);
      }
      expect(isLoadable(diagnosis)).toBe(index > HAZARD_CODES.indexOf('undefined-symbol'));
    });

    test('has its part in what is said of unloading', () => {
      const { level, reasons } = diagnose(CASES[code](), shim).reclaim;
      if (NEVER.includes(code)) expect([level, reasons.length]).toEqual(['never', 1]);
      else if (REASONS[code]) expect([level, reasons]).toEqual(['when idle', REASONS[code]]);
      else expect([level, reasons]).toEqual(['full', []]);
    });
  },
);

describe('an addon with nothing to tell', () => {
  test('has no hazards and unloads in full', () => {
    expect(diagnose(addon(''), shim)).toMatchObject({
      arch: process.arch,
      entry: 'symbol',
      hazards: [],
      reclaim: { level: 'full', reasons: [] },
    });
  });

  test('is named by its whole path, whatever the one given', () => {
    const file = addon('');
    expect(diagnose(path.relative('.', file), shim).file).toBe(file);
  });
});

describe('the Node-API version', () => {
  const version = (body: string, flags: readonly string[] = []): number | null =>
    diagnose(versioned(body, flags), shim).apiVersion;

  test.each([
    ...['-O0', '-O1', '-O2', '-Os', '-O3'].map((flag) => [flag]),
    ['-O2', '-fno-omit-frame-pointer'],
    ...(process.arch === 'x64'
      ? [
          ['-O2', '-fcf-protection'],
          ['-O0', '-fcf-protection'],
        ]
      : []),
  ])('is read from code that %s made', (...flags) => {
    expect(version('return 9;', flags)).toBe(9);
    expect(version('return 2147483647;', flags)).toBe(2_147_483_647);
  });

  test('is not guessed from code that does more', () => {
    expect(version('extern int puts(const char *); return puts("") + 8;')).toBeNull();
  });

  test('is what Node.js takes where there is none', () => {
    expect(
      diagnose(compile(scratch(), 'addon', 'void napi_register_module_v1(void) {}'), shim).apiVersion,
    ).toBe(8);
  });
});

describe('libraries', () => {
  test('give what a library of a library defines, as the loader has it', () => {
    const folder = scratch();
    library(folder, 'libinner.so', 'int inner(void) { return 1; }');
    const link = ['-Wl,--no-as-needed', path.join(folder, 'libinner.so'), '-Wl,-rpath,$ORIGIN'];
    library(folder, 'libouter.so', 'int outer(void) { return 2; }', link);
    const flags = [path.join(folder, 'libouter.so'), '-Wl,-rpath,$ORIGIN', '-Wl,--allow-shlib-undefined'];
    const code = call('int inner(void), outer(void)', 'inner(); outer()');
    const file = addon(code, flags, folder);
    expect(codes(diagnose(file, shim))).toEqual(['private-libraries']);
  });

  test('are searched for symbols of the version that is wanted', () => {
    // A version that no glibc has, of a symbol that every one has.
    const folder = scratch();
    const map = path.join(folder, 'map');
    writeFileSync(map, 'GLIBC_9.99 { global: puts; };');
    const fake = library(folder, 'libc.so.6', 'int puts(const char *a) { return a != 0; }', [
      `-Wl,--version-script=${map}`,
      '-nostdlib',
    ]);
    const file = addon(call('int puts(const char *)', 'puts(a)'), [fake], folder);
    const [hazard, ...others] = diagnose(file, shim).hazards;
    expect([hazard?.code, others]).toEqual(['undefined-symbol', []]);
    expect(hazard?.detail).toContain('puts@GLIBC_9.99');
  });

  test('that are missing excuse symbols that they may give, but not those of Node-API', () => {
    const folder = scratch();
    const gone = library(folder, 'libgone.so', 'int gone(void) { return 1; }');
    const code = call('int gone(void), napi_of_the_future(void)', 'gone(); napi_of_the_future()');
    const file = addon(code, [gone], folder);
    execFileSync('rm', [gone]);
    const diagnosis = diagnose(file, shim);
    expect(codes(diagnosis)).toEqual(['missing-library', 'undefined-symbol']);
    expect(diagnosis.hazards[1]?.detail).toMatch(/defines napi_of_the_future$/);
  });

  test('that are text, as a linker script is, count as missing', () => {
    const folder = scratch();
    const script = library(folder, 'libscript.so', 'int scripted(void) { return 1; }');
    const file = addon(call('int scripted(void)', 'scripted()'), [script], folder);
    writeFileSync(script, 'GROUP ( libscript.so.1 )\n');
    expect(codes(diagnose(file, shim))).toEqual(['missing-library']);
  });
});

describe('a hostile file', () => {
  test('is read and not run', () => {
    const marker = path.join(scratch(), 'ran');
    const evil = `#include <stdio.h>
__attribute__((constructor)) static void run(void) { fclose(fopen("${marker}", "w")); }`;
    const file = addon(evil);
    expect(isLoadable(diagnose(file, shim))).toBe(true);
    expect(() => readFileSync(marker)).toThrow('ENOENT');
    // The same file, loaded, does run it: the test would see it.
    execFileSync(process.execPath, ['-e', `require(${JSON.stringify(file)})`]);
    expect(readFileSync(marker).length).toBe(0);
  });

  test('is no trap when it is a pipe that nobody writes to', () => {
    const fifo = path.join(scratch(), 'pipe.node');
    execFileSync('mkfifo', [fifo]);
    expect(codes(diagnose(fifo, shim))).toEqual(['not-elf']);
  });

  test('gets an answer whatever its bytes are', () => {
    const file = addon(call('int puts(const char *)', 'puts(a)'));
    const original = readFileSync(file);
    let state = 20_261_127;
    const below = (bound: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    for (let round = 0; round < 400; round++) {
      const bytes = Buffer.from(original);
      for (let left = 1 + below(8); left > 0; left--) {
        bytes[below(round % 2 === 0 ? 0x800 : bytes.length)] = below(3) === 0 ? 0xff : below(256);
      }
      writeFileSync(file, bytes);
      const { hazards, reclaim } = diagnose(file, shim);
      expect(Array.isArray(hazards) && reclaim.level.length > 0, `mutation ${round}`).toBe(true);
    }
  });

  test('is read once, however many segments say that they are all of it', () => {
    const bytes = readFileSync(addon(call('#include <dlfcn.h>\n', 'dlsym(a, "nothing")')));
    const headerBytes = bytes.readUInt16LE(0x36);
    const first = Number(bytes.readBigUInt64LE(0x20));
    const own = bytes.subarray(first, first + headerBytes * bytes.readUInt16LE(0x38));
    const count = 60_000;
    const table = Buffer.alloc(headerBytes * count);
    for (let index = 0; index < count; index++) {
      table.writeUInt32LE(1, index * headerBytes); // PT_LOAD
      table.writeBigUInt64LE(BigInt(bytes.length + table.length), index * headerBytes + 0x20); // p_filesz
      table.writeBigUInt64LE(2n ** 40n, index * headerBytes + 0x10); // p_vaddr
    }
    own.copy(table);
    bytes.writeBigUInt64LE(BigInt(bytes.length), 0x20);
    bytes.writeUInt16LE(count, 0x38);
    // Of this machine, it is refused before.
    bytes.writeUInt16LE(OTHER_MACHINE, 18);
    const file = path.join(scratch(), 'many.node');
    writeFileSync(file, Buffer.concat([bytes, table]));
    expect(codes(diagnose(file, shim))).toEqual(['wrong-arch']);
  });

  test('has all its bytes read, also when more follow', () => {
    const file = addon('');
    appendFileSync(file, Buffer.alloc(4 * 2 ** 20));
    expect(codes(diagnose(file, shim))).toEqual([]);
  });
});
