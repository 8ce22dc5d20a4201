// What the figures are figures of.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

const LOOK_MS = 10_000;

/** @param {string} command @returns {string | null} the first line that it says of its version; null where it is not there */
export function versionOf(command) {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8', timeout: LOOK_MS });
  return status === 0 ? (stdout.split('\n')[0] ?? '') : null;
}

/** @returns {Record<string, string | number | null>} */
export function describeMachine() {
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report?.getReport());
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system,
    // What follows the numbers is the name that somebody gave the build.
    kernel: release().replace(/-.*/, ''),
    glibc: report.header.glibcVersionRuntime ?? null,
    node: process.version,
    gcc: versionOf('gcc'),
  };
}
