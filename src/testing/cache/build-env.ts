/** Which variables of the environment a build may read. */
import type { ResolvedBuild } from '../../build-options.ts';

/** Variables of npm and node-gyp that decide what is built. */
const NPM = 'npm_config_(?:nodedir|target|arch|runtime|disturl|debug|build_from_source|devdir)';

/** Variables that compilers and builders read. */
const READ: RegExp = anyOf(
  ['CC', 'CXX', 'AR', 'AS', 'LD', 'LINK', 'NM', 'RANLIB', 'STRIP', 'OBJCOPY', 'BUILDTYPE', 'V', NPM],
  ['\\w*FLAGS(?:_\\w+)?', '\\w*CPATH', '\\w+_INCLUDE_PATH', 'LIBRARY_PATH', 'SOURCE_DATE_EPOCH'],
  ['(?:GYP|NODE_GYP|NAPI|CMAKE|CARGO|CCACHE|PKG_CONFIG|VCPKG|CONAN)_\\w+', 'RUST\\w+', 'CUDA\\w*'],
);

/** Names by which projects let others say where something is. */
const BY_CUSTOM: RegExp = anyOf(['\\w+_(?:ROOT|HOME|DIR|PREFIX|INCLUDE|LIB|SYSROOT)', '\\w*LIBS']);

/**
 * Variables that say who asked, when, in which terminal, or in which run of a CI: they differ where builds do not. `PATH`
 * counts by the programs that are found on it.
 */
const UNREAD: RegExp = anyOf(
  [
    '_',
    'PATH',
    '(?:OLD|PROJECT_)?PWD',
    'INIT_CWD',
    'SHLVL',
    'SHELL',
    'HOME',
    'USER(?:NAME)?',
    'LOGNAME',
    'MAIL',
  ],
  ['HOSTNAME', 'LANG(?:UAGE)?', 'LC_\\w+', 'TZ', 'TMPDIR', 'TE?MP', 'EDITOR', 'VISUAL', 'PAGER', 'LESS\\w*'],
  ['LS_COLORS', 'COLUMNS', 'LINES', 'TERM\\w*', 'COLOR\\w*', 'CLICOLOR\\w*', 'FORCE_COLOR', 'NO_COLOR'],
  ['TMUX\\w*', 'STY', 'WINDOWID', 'WSL\\w*', '(?:KONSOLE|ITERM|VTE|WT|VSCODE|ELECTRON|JETBRAINS)_\\w+'],
  ['DISPLAY', 'XAUTHORITY', 'SESSION_MANAGER', '(?:XDG|DBUS|DESKTOP|GNOME|GTK|QT|WAYLAND)_\\w+'],
  ['INVOCATION_ID', 'JOURNAL_STREAM', 'MANAGERPID', '(?:SYSTEMD|SSH|GPG|SUDO|GIT)_\\w+'],
  ['NODE', 'NODE_(?:ENV|OPTIONS|V8_COVERAGE|UNIQUE_ID)', 'NODE_(?:TEST|CHANNEL)_\\w+', `(?!${NPM}$)npm_\\w+`],
  ['(?:NVM|FNM|VOLTA|PNPM|YARN|BERRY|COREPACK|JEST|TINYPOOL)_\\w+', 'VITEST\\w*'],
  ['TEST', 'DEV', 'PROD', 'MODE', 'SSR', 'BASE_URL', 'CI', '(?:CI|GITHUB|RUNNER|ACTIONS|AGENT|GITLAB)_\\w+'],
  ['Image(?:OS|Version)', '(?:BUILDKITE|CIRCLE|TRAVIS|JENKINS|TEAMCITY|BITBUCKET|DRONE)\\w*'],
  ['BUILD_(?:ID|NUMBER|TAG|URL|DISPLAY_NAME)'],
);

function anyOf(...names: readonly (readonly string[])[]): RegExp {
  return new RegExp(`^(?:${names.flat().join('|')})$`, 'i');
}

/** What of a build's own text tells which variables it reads. */
export interface Described {
  /** Words of the files that say how to build. */
  readonly words: ReadonlySet<string>;
  /** Whether a command is started that may read any variable. */
  readonly isAny: boolean;
}

/** @returns `NAME=value` of each that counts, sorted */
export function variablesOf(env: NodeJS.ProcessEnv, { words, isAny }: Described): readonly string[] {
  const counts = (name: string): boolean => {
    if (READ.test(name)) return true;
    return !UNREAD.test(name) && (isAny || words.has(name) || BY_CUSTOM.test(name));
  };
  const names = Object.keys(env).filter(counts).sort();
  return names.map((name) => `${name}=${env[name]}`);
}

/**
 * Whether the build is a command of the user's, or make or ninja, in which any variable is one of their own.
 *
 * @param hasDescription whether the copy has a `binding.gyp` or `CMakeLists.txt`
 */
export function readsAnyVariable(build: ResolvedBuild, hasDescription: boolean): boolean {
  if (build.kind !== 'tool') return true;
  return build.tool === 'make' || build.tool === 'ninja' || (build.tool === 'auto' && !hasDescription);
}
