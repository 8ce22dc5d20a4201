// `npm run test:faults`: everything that can fail fails, each call for every n. Prints how many points failed, and how many
// tests saw a bad outcome: another version served than the good one, an error had no code, something stayed behind, a
// process ended. These tests list each of them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

const root = path.resolve(import.meta.dirname, '../..');
const child = spawn(process.execPath, [path.join(root, 'test/run.mjs'), 'test/fault'], {
  cwd: root,
  env: { ...process.env, FAULTS: 'all', NO_COLOR: '1' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const closed = once(child, 'close');
let [points, bad] = [0, 0];
for await (const line of createInterface(child.stdout)) {
  console.log(line);
  points += Number(/^(\d+) calls /.exec(line)?.[1] ?? 0);
  bad += Number(/^\d+ passed, (\d+) failed/.exec(line)?.[1] ?? 0);
}
const [exitCode] = await closed;
console.log(JSON.stringify({ points, bad }));
process.exitCode = bad === 0 && exitCode === 0 ? 0 : 1;
