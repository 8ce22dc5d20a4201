/**
 * What is said of prebuilt addons of others, compared with what readelf and ldd say of the same files, and kept as a whole
 * in snapshots.
 */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/doctor/diagnose.ts';
import type { Diagnosis, HazardCode } from '../../../src/doctor/diagnosis.ts';
import { ROOT } from '../docs/markdown.ts';
import { shim } from '../native/shim.ts';
import { ldd, readelf, type Readelf } from './oracle.ts';

/** Of npm packages, below node_modules. */
const FILES = {
  'C, without objects': 'bufferutil/prebuilds/linux-x64/bufferutil.node',
  'C++, without objects': 'utf-8-validate/prebuilds/linux-x64/utf-8-validate.node',
  'C++ for musl, one function': 'utf-8-validate/prebuilds/linux-x64/utf-8-validate.musl.node',
  'C++ with async work': 'bcrypt/prebuilds/linux-x64/bcrypt.glibc.node',
  'C++ for musl': 'bcrypt/prebuilds/linux-x64/bcrypt.musl.node',
  'C++ for arm64': 'bcrypt/prebuilds/linux-arm64/bcrypt.glibc.node',
  'C++ for arm64 and musl': 'bcrypt/prebuilds/linux-arm64/bcrypt.musl.node',
  'C++ for 32-bit arm': 'bcrypt/prebuilds/linux-arm/bcrypt.glibc.node',
  'C++ with threads': '@parcel/watcher-linux-x64-glibc/watcher.node',
  'Rust, napi-rs': '@node-rs/crc32-linux-x64-gnu/crc32.linux-x64-gnu.node',
  'a database in C++': 'classic-level/prebuilds/linux-x64/classic-level.node',
  'a database for musl': 'classic-level/prebuilds/linux-x64/classic-level.musl.node',
  'a database for arm64': 'classic-level/prebuilds/linux-arm64/classic-level.armv8.node',
  'handles of libuv': '@serialport/bindings-cpp/prebuilds/linux-x64/@serialport+bindings-cpp.glibc.node',
  'handles of libuv for arm64':
    '@serialport/bindings-cpp/prebuilds/linux-arm64/@serialport+bindings-cpp.armv8.glibc.node',
  'small, Node-API': '@msgpackr-extract/msgpackr-extract-linux-x64/node.napi.glibc.node',
  'small, V8': '@msgpackr-extract/msgpackr-extract-linux-x64/node.abi115.glibc.node',
  'nan, V8, static TLS, signals': '@datadog/pprof/prebuilds/linux-x64/dd_pprof.node.abi115.node',
  'nan for arm64 and musl': '@datadog/pprof/prebuilds/linux-arm64/dd_pprof.musl.node.abi127.node',
} as const;

/** What a file must import for a hazard. */
const IMPORTS: Partial<Record<HazardCode, readonly string[]>> = {
  threads: ['pthread_create', 'uv_thread_create', 'uv_thread_create_ex'],
  'thread-locals': ['__cxa_thread_atexit', '__cxa_thread_atexit_impl'],
  'pthread-keys': ['pthread_key_create'],
  'uv-handles': ['uv_async_init', 'uv_poll_init', 'uv_timer_init', 'uv_spawn'],
  'uv-requests': ['uv_fs_unlink', 'uv_fs_open', 'uv_write', 'uv_getaddrinfo'],
  signals: ['sigaction', 'signal'],
};

function registersByV8({ imports, defined }: Readelf): boolean {
  if (imports.includes('napi_module_register')) return false;
  return (
    imports.includes('node_module_register') || defined.some((x) => x.startsWith('node_register_module_v'))
  );
}

/** The hazards that binutils and the loader find. */
function expected(file: string, elf: Readelf): readonly HazardCode[] {
  const isOurs = elf.arch === process.arch;
  const { missing, undefined: lost } = isOurs ? ldd(file) : { missing: [], undefined: [] };
  const found: Partial<Record<HazardCode, boolean>> = {
    'wrong-arch': !isOurs,
    'v8-abi': registersByV8(elf),
    'missing-library': missing.length > 0,
    'undefined-symbol': missing.length === 0 && lost.some((name) => !name.startsWith('_ZN')),
    'no-delete': elf.noDelete,
    'past-node-api': !registersByV8(elf) && elf.imports.some((name) => name.startsWith('_ZN2v8')),
    'static-tls': elf.staticTls,
    'executable-stack': elf.executableStack,
    'run-path': elf.runPath !== null,
    'unique-symbols': elf.unique > 0,
  };
  for (const [code, names] of Object.entries(IMPORTS) as [HazardCode, readonly string[]][]) {
    found[code] = names.some((name) => elf.imports.includes(name));
  }
  return (Object.keys(found) as HazardCode[]).filter((code) => found[code]);
}

const codes = ({ hazards }: Diagnosis): readonly HazardCode[] => hazards.map(({ code }) => code);

describe.each(Object.entries(FILES))('%s', (_, name) => {
  const file = path.join(ROOT, 'node_modules', name);
  const isHere = fs.existsSync(file);
  const why = isHere ? '' : ' (skipped: the package for this platform is not installed)';

  test.skipIf(!isHere)(`has the hazards that readelf and ldd see${why}`, () => {
    const elf = readelf(file);
    const diagnosis = diagnose(file, shim);
    expect(diagnosis.arch).toBe(elf.arch);
    if (!elf.is64Bit) {
      expect(codes(diagnosis)).toEqual(['wrong-arch']);
      return;
    }
    expect(diagnosis.needed).toEqual(elf.needed);
    expect([...codes(diagnosis)].sort()).toEqual([...expected(file, elf)].sort());
    const unique = diagnosis.hazards.find(({ code }) => code === 'unique-symbols');
    if (unique !== undefined) expect(unique.detail).toContain(` ${elf.unique} `);
    const isRefused = elf.noDelete || elf.imports.some((symbol) => symbol.startsWith('_ZN2v8'));
    expect(diagnosis.reclaim.level === 'never').toBe(isRefused);
  });

  // What is here and what is elsewhere goes by the processor, and so does what the snapshots say.
  test.skipIf(!isHere || process.arch !== 'x64')(`is told as ever${why}`, () => {
    const { file: told, ...diagnosis } = diagnose(file, shim);
    expect(told).toBe(file);
    expect(diagnosis).toMatchSnapshot();
  });
});

test('they are a dozen and more that can be looked at', () => {
  const here = Object.values(FILES).filter((name) => fs.existsSync(path.join(ROOT, 'node_modules', name)));
  expect(here.length).toBeGreaterThanOrEqual(12);
});
