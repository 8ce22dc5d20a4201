// `npm run documents`: writes what is made from the source: the schema of configurations, the manual of the commands, and
// the reference of what can be imported.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';
import { COMMANDS } from '../dist/cli/commands.js';
import { manual } from '../dist/cli/manual.js';
import { configSchema } from '../dist/config/schema.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const schema = path.join(root, 'src/config/schema.json');
writeFileSync(schema, JSON.stringify(configSchema));
writeFileSync(path.join(root, 'docs/commands.md'), manual(COMMANDS));
/** @type {typeof import('../site/api.ts')} */
const { apiReference } = await createJiti(import.meta.url).import('../site/api.ts');
writeFileSync(path.join(root, 'docs/api.md'), apiReference(path.join(root, 'dist')));
const biome = path.join(root, 'node_modules/@biomejs/biome/bin/biome');
const { status } = spawnSync(process.execPath, [biome, 'format', '--write', schema], { stdio: 'inherit' });
process.exitCode = status ?? 1;
