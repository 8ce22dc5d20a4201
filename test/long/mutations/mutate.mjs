// Changes of an ELF image in what the loader and our reader parse: headers, tables and strings, and cuts of the file.
//
// What no reader can judge is left out: machine code and data, and whatever only says which code or data is meant while
// it stays inside of the image (the value of a symbol, a relocation's place and addend). A version that runs the wrong
// code may crash, and nothing short of running it elsewhere can tell.

/** @typedef {readonly [at: number, width: number, name: string]} Field in a row of a table */
/** @typedef {{ name: string, offset: number, count: number, size: number, fields: readonly Field[], weight: number }} Table */

/** @type {readonly Field[]} */
const HEADER = [
  [16, 2, 'e_type'],
  [18, 2, 'e_machine'],
  [20, 4, 'e_version'],
  [32, 8, 'e_phoff'],
  [40, 8, 'e_shoff'],
  [52, 2, 'e_ehsize'],
  [54, 2, 'e_phentsize'],
  [56, 2, 'e_phnum'],
  [58, 2, 'e_shentsize'],
  [60, 2, 'e_shnum'],
  [62, 2, 'e_shstrndx'],
];
/** @type {readonly Field[]} */
const PROGRAM = [
  [0, 4, 'p_type'],
  [4, 4, 'p_flags'],
  [8, 8, 'p_offset'],
  [16, 8, 'p_vaddr'],
  [32, 8, 'p_filesz'],
  [40, 8, 'p_memsz'],
  [48, 8, 'p_align'],
];
/** @type {readonly Field[]} */
const SECTION = [
  [4, 4, 'sh_type'],
  [16, 8, 'sh_addr'],
  [24, 8, 'sh_offset'],
  [32, 8, 'sh_size'],
  [56, 8, 'sh_entsize'],
];
/** @type {readonly Field[]} */
const DYNAMIC = [
  [0, 8, 'd_tag'],
  [8, 8, 'd_val'],
];
/** @type {readonly Field[]} */
const SYMBOL = [
  [0, 4, 'st_name'],
  [4, 1, 'st_info'],
  [5, 1, 'st_other'],
  [6, 2, 'st_shndx'],
];
/** @type {readonly Field[]} */
const RELOCATION = [
  [8, 4, 'r_type'],
  [12, 4, 'r_sym'],
];
/** @type {readonly Field[]} */
const VERSION_NEED = [
  [2, 2, 'vn_cnt'],
  [4, 4, 'vn_file'],
  [8, 4, 'vn_aux'],
  [12, 4, 'vn_next'],
];

const PT_LOAD = 1n;
const PT_DYNAMIC = 2n;
const TAGS = {
  symbols: 6n,
  strings: 5n,
  stringBytes: 10n,
  rela: 7n,
  relaBytes: 8n,
  jumps: 23n,
  jumpBytes: 2n,
};
const TAGS_OF_VERSIONS = { hash: 0x6ffffef5n, versions: 0x6ffffff0n, needs: 0x6ffffffen };
/** Of tables that do not tell how long they are. */
const BYTES_LOOKED_AT = 64;
/** No segment that is loaded from the file holds it. */
const NOWHERE = 2n ** 64n - 1n;

/** Of x86-64: none, a word, a global's address, a call, a relative address, thread-local data, a resolver. */
const KINDS_OF_RELOCATIONS = new Set([0n, 1n, 6n, 7n, 8n, 16n, 17n, 18n, 36n, 37n]);
const PT_GNU_RELRO = 0x6474e552n;
/** Farther away, it is outside of any addon here. */
const PROTECTED_MAX = 0x100000n;
const STT_GNU_IFUNC = 10n;
/** DT_INIT and DT_FINI. */
const TAGS_OF_CODE = new Set([12n, 13n]);

/** @param {number} seed @returns {(limit: number) => number} a source of whole numbers below the limit */
export function createRandom(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** @template T @param {readonly T[]} list that is not empty @param {ReturnType<typeof createRandom>} random */
const pick = (list, random) => /** @type {T} */ (list[random(list.length)]);

/** @param {Buffer} bytes @param {number} offset @param {number} width */
function read(bytes, offset, width) {
  if (width === 8) return bytes.readBigUInt64LE(offset);
  return BigInt(bytes.readUIntLE(offset, width));
}

/** @param {Buffer} bytes @param {number} offset @param {number} width @param {bigint} value */
function write(bytes, offset, width, value) {
  const kept = BigInt.asUintN(width * 8, value);
  if (width === 8) bytes.writeBigUInt64LE(kept, offset);
  else bytes.writeUIntLE(Number(kept), offset, width);
}

/** The dynamic entries of an image that is whole, and how its addresses lie in the file. @param {Buffer} bytes */
function readLayout(bytes) {
  const programs = Number(bytes.readBigUInt64LE(32));
  const count = bytes.readUInt16LE(56);
  const field = (/** @type {number} */ index, /** @type {number} */ offset, /** @type {number} */ width) =>
    read(bytes, programs + index * 56 + offset, width);
  const indexes = Array.from({ length: count }, (_, index) => index);
  const offsetOf = (/** @type {bigint} */ address) => {
    const holds = (/** @type {number} */ index) => {
      const inside = address - field(index, 16, 8);
      return field(index, 0, 4) === PT_LOAD && inside >= 0n && inside < field(index, 32, 8);
    };
    const index = indexes.find(holds);
    return index === undefined ? null : Number(address - field(index, 16, 8) + field(index, 8, 8));
  };
  const dynamicIndex = indexes.find((index) => field(index, 0, 4) === PT_DYNAMIC) ?? 0;
  const dynamic = Number(field(dynamicIndex, 8, 8));
  const entries = [];
  for (let at = dynamic; bytes.readBigUInt64LE(at) !== 0n; at += 16) {
    entries.push({ tag: bytes.readBigUInt64LE(at), value: bytes.readBigUInt64LE(at + 8) });
  }
  return { programs, count, offsetOf, dynamic, entries };
}

/**
 * Where the tables of a whole image lie.
 *
 * @param {Buffer} bytes
 * @returns {Table[]}
 */
export function findTables(bytes) {
  const { programs, count, offsetOf, dynamic, entries } = readLayout(bytes);
  const entryOf = (/** @type {bigint} */ tag) => entries.find((entry) => entry.tag === tag)?.value;
  /** @type {Table[]} */
  const tables = [
    { name: 'header', offset: 0, count: 1, size: 64, fields: HEADER, weight: 4 },
    { name: 'program header', offset: programs, count, size: 56, fields: PROGRAM, weight: 6 },
    {
      name: 'dynamic entry',
      offset: dynamic,
      count: entries.length + 1,
      size: 16,
      fields: DYNAMIC,
      weight: 8,
    },
  ];
  const sections = Number(bytes.readBigUInt64LE(40));
  const sectionCount = bytes.readUInt16LE(60);
  if (sections > 0) {
    tables.push({
      name: 'section header',
      offset: sections,
      count: sectionCount,
      size: 64,
      fields: SECTION,
      weight: 3,
    });
  }
  const place = (/** @type {bigint} */ tag) => offsetOf(entryOf(tag) ?? NOWHERE);
  const bytesOf = (/** @type {bigint} */ tag) => Number(entryOf(tag) ?? 0n);
  /** @param {string} name @param {bigint} tag @param {number} length @param {number} size @param {readonly Field[]} fields @param {number} weight */
  const add = (name, tag, length, size, fields, weight) => {
    const offset = place(tag);
    if (offset !== null)
      tables.push({ name, offset, count: Math.floor(length / size), size, fields, weight });
  };
  const strings = place(TAGS.strings) ?? 0;
  const symbols = place(TAGS.symbols) ?? 0;
  // Linkers put the strings behind the symbols.
  add('symbol', TAGS.symbols, Math.max(0, strings - symbols), 24, SYMBOL, 5);
  add('string', TAGS.strings, bytesOf(TAGS.stringBytes), 1, [[0, 1, 'byte']], 3);
  add('relocation', TAGS.rela, bytesOf(TAGS.relaBytes), 24, RELOCATION, 3);
  add('jump relocation', TAGS.jumps, bytesOf(TAGS.jumpBytes), 24, RELOCATION, 3);
  add('hash', TAGS_OF_VERSIONS.hash, BYTES_LOOKED_AT, 4, [[0, 4, 'word']], 4);
  add('version', TAGS_OF_VERSIONS.versions, BYTES_LOOKED_AT, 2, [[0, 2, 'index']], 2);
  add('version need', TAGS_OF_VERSIONS.needs, BYTES_LOOKED_AT, 16, VERSION_NEED, 3);
  return tables;
}

/**
 * Whether a value only says which of several sound things is meant: another symbol or name of one, another kind of
 * relocation, a function that finds functions, an initializer elsewhere in the code, other data to protect.
 *
 * @param {string} field @param {bigint} value
 * @param {{ symbolCount: bigint, stringBytes: bigint, tag: bigint, type: bigint, isImport: boolean }} of
 */
function isChoice(field, value, { symbolCount, stringBytes, tag, type, isImport }) {
  if (type === PT_GNU_RELRO) return value < PROTECTED_MAX;
  if (field === 'r_sym') return value < symbolCount;
  if (field === 'r_type') return KINDS_OF_RELOCATIONS.has(value);
  if (field === 'st_name') return isImport && value < stringBytes;
  if (field === 'st_info') return (value & 0xfn) === STT_GNU_IFUNC;
  return field === 'd_val' && TAGS_OF_CODE.has(tag);
}

/** @param {ReturnType<typeof createRandom>} random @param {Buffer} bytes @param {bigint} old */
function hostileValue(random, bytes, old) {
  const size = BigInt(bytes.length);
  const values = [
    0n,
    1n,
    2n,
    7n,
    0x7fn,
    0xffn,
    0xffffn,
    0x7fffffffn,
    0xffffffffn,
    size,
    size - 1n,
    size + 1n,
  ];
  const huge = [2n ** 63n, 2n ** 64n - 1n, 2n ** 47n, 2n ** 40n, 2n ** 32n];
  const near = [old + 1n, old - 1n, old + 8n, old - 8n, old + 0x1000n, old - 0x1000n, old * 2n, old / 2n];
  const flipped = [old ^ (1n << BigInt(random(64)))];
  const group = pick([values, huge, near, near, flipped], random);
  return pick(group, random);
}

/**
 * A changed copy, and what was done to it.
 *
 * @param {Buffer} original a whole image
 * @param {ReturnType<typeof createRandom>} random
 */
export function mutate(original, random) {
  if (random(25) === 0) {
    const length = 1 + random(original.length - 1);
    return { bytes: original.subarray(0, length), what: `cut at byte ${length}` };
  }
  const bytes = Buffer.from(original);
  const tables = findTables(original).flatMap((table) => Array.from({ length: table.weight }, () => table));
  const countOf = (/** @type {string} */ wanted) =>
    BigInt(tables.find(({ name }) => name === wanted)?.count ?? 0);
  const of = { symbolCount: countOf('symbol'), stringBytes: countOf('string') };
  const done = [];
  for (const wanted = random(4) === 0 ? 2 : 1; done.length < wanted; ) {
    const { name, offset, count, size, fields } = pick(tables, random);
    const row = random(count);
    const [at, width, field] = pick(fields, random);
    const place = offset + row * size + at;
    const old = read(bytes, place, width);
    const value = BigInt.asUintN(width * 8, hostileValue(random, bytes, old));
    const type = name === 'program header' ? read(original, offset + row * size, 4) : 0n;
    const tag = field === 'd_val' ? read(original, place - 8, 8) : 0n;
    const isImport = field === 'st_name' && original.readUInt16LE(place + 6) === 0;
    if (isChoice(field, value, { ...of, tag, type, isImport })) continue;
    write(bytes, place, width, value);
    done.push(`${name} ${row} ${field} 0x${old.toString(16)} -> 0x${value.toString(16)}`);
  }
  return { bytes, what: done.join(', ') };
}
