/**
 * Programs that GCC's driver starts instead of its own, by way of COMPILER_PATH: the commands that make and ninja run, and
 * compare with those of the last build, stay what they are.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Outside } from '../../outside.ts';
import { isFile } from '../files.ts';
import { findProgram } from '../tools.ts';

/** Linkers that are faster than the usual one, the fastest first. */
const LINKERS = ['mold', 'ld.lld'];

/**
 * The compiler proper. Finds the header for the source in a table, with a folder, a source and a header in each line, and
 * takes the header out of the depfile again.
 */
const CC1PLUS = `#!/bin/sh
if [ -n "$NAPI_RELOAD_COMPILER_PATH" ]; then
  COMPILER_PATH=$NAPI_RELOAD_COMPILER_PATH
  export COMPILER_PATH
else
  unset COMPILER_PATH
fi
real=$("\${COLLECT_GCC:-g++}" -print-prog-name=cc1plus) || exit 1
deps= named= header= before=
for arg; do
  case $before in
    -MF) named=$arg ;;
    -MD | -MMD) deps=$arg ;;
  esac
  case $arg in -E | -fdirectives-only) exec "$real" "$@" ;; esac
  before=$arg
done
here=$(pwd -P)
while IFS='\t' read -r folder source file; do
  [ "$folder" = "$here" ] || continue
  for arg; do
    if [ "$arg" = "$source" ]; then header=$file; fi
  done
done < "$NAPI_RELOAD_HEADERS"
[ -n "$header" ] || exec "$real" "$@"
"$real" -fpch-deps -include "$header" "$@"
code=$?
deps=\${named:-$deps}
if [ -n "$deps" ] && [ -f "$deps" ]; then
  sed -i "s#[^ ]*\${header%/*/*}/[^ ]*##g" "$deps"
fi
exit $code
`;

export interface StandIns {
  /** Absolute folder that COMPILER_PATH is to begin with. */
  readonly folder: string;
  /** Name of the linker; null for the usual one. */
  readonly linker: string | null;
}

/** @param parent absolute folder that they are kept in, those for other linkers beside them */
export async function makeStandIns(outside: Outside, parent: string): Promise<StandIns> {
  const found = await findLinker(outside);
  const linker = found?.name ?? null;
  const ld = `#!/bin/sh\nexec ${quoted(found?.program ?? '')} "$@"\n`;
  const hash = createHash('sha256').update(`${CC1PLUS}${ld}`).digest('hex').slice(0, 16);
  const folder = path.join(parent, hash);
  await outside.makePrivateFolder(folder);
  const files = { cc1plus: CC1PLUS, ...(linker === null ? {} : { ld }) };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    if (!(await isFile(outside, file))) await outside.writeFile(file, text, 0o700);
  }
  return { folder, linker };
}

/** One word of a shell script, with nothing in it that the shell expands. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

async function findLinker(
  outside: Outside,
): Promise<{ readonly name: string; readonly program: string } | null> {
  for (const name of LINKERS) {
    const program = await findProgram(outside, name);
    if (program !== null) return { name, program };
  }
  return null;
}
