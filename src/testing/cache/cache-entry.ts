/** What is kept of one build: its files, what the compiler said, and what it read outside of the project. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { isInside } from '../../build/files.ts';
import type { Diagnostic } from '../../diagnostic.ts';
import type { Place } from './places.ts';

export const ENTRY = 'entry.json';

/** A file of an entry, which holds it by its hash. */
export interface KeptFile {
  /** Relative to the project. */
  readonly name: string;
  readonly hash: string;
}

/** A file outside of the project that was read. */
export interface ReadFile {
  readonly place: Place;
  /** Relative to the place; absolute where it is in none. */
  readonly name: string;
  readonly hash: string;
}

export interface Entry {
  readonly files: readonly KeptFile[];
  readonly read: readonly ReadFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * @param root the files must lie below it, and the addon must be one of them
 * @returns null also where it is damaged: whoever can write the folder may do so
 */
export async function readEntry(folder: string, root: string, addon: string): Promise<Entry | null> {
  try {
    const entry: unknown = JSON.parse(await fs.readFile(path.join(folder, ENTRY), 'utf8'));
    if (!isEntry(entry) || !entry.files.some(({ name }) => name === addon)) return null;
    return entry.files.every(({ name }) => isNameBelow(root, name)) ? entry : null;
  } catch {
    return null;
  }
}

function isNameBelow(root: string, name: string): boolean {
  const file = path.resolve(root, name);
  return !path.isAbsolute(name) && file !== root && isInside(root, file);
}

function isEntry(value: unknown): value is Entry {
  if (!isRecord(value)) return false;
  const { files, read, diagnostics } = value;
  return (
    Array.isArray(files) &&
    files.every((file: unknown) => isRecord(file) && isText(file['name']) && isHash(file['hash'])) &&
    Array.isArray(read) &&
    read.every(isReadFile) &&
    Array.isArray(diagnostics) &&
    diagnostics.every(isDiagnostic)
  );
}

function isReadFile(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { place, name, hash } = value;
  const isKnown = place === 'project' || place === 'headers' || place === 'absolute';
  return isKnown && isText(name) && isHash(hash);
}

function isDiagnostic(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return isText(value['file']) && isText(value['severity']) && isText(value['text']);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** It is the name of a file, too. */
function isHash(value: unknown): value is string {
  return isText(value) && /^[0-9a-f]{64}$/.test(value);
}
