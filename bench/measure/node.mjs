// Where what came with this Node.js is.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';

const prefix = path.resolve(path.dirname(realpathSync(process.execPath)), '..');

/** Of its headers. */
export const nodeHeaders = path.join(prefix, 'include/node');
export const hasHeaders = existsSync(path.join(nodeHeaders, 'node_api.h'));

/** What builders call `nodedir`; null where no headers came with it, and they are to find others. */
export const nodeDir = hasHeaders ? prefix : null;
export const nodeDirArgs = nodeDir === null ? [] : [`--nodedir=${nodeDir}`];
