/**
 * A price service whose prices are computed in C++, reloadable while it answers.
 *
 *     node examples/http-server/server.mjs --isolation process
 *
 * It builds `src/`, watches it, and says where it listens: `curl localhost:3000/quote/120`. `run.mjs` starts it with
 * `--addon` as well, builds by itself, and asks for each reload by a message.
 */
import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { open } from '../../dist/index.js';
import { serveQuotes } from './lib/serve.mjs';

const BUILT = path.join(import.meta.dirname, 'build/Release/quotes.node');
/** Of a call that a reload finds under way; it takes microseconds, but the processor may be busy elsewhere. */
const DRAIN_TIMEOUT_MS = 10_000;

const { values } = parseArgs({
  options: {
    isolation: { type: 'string', default: 'inline' },
    addon: { type: 'string' },
    port: { type: 'string', default: '3000' },
  },
});
const kernel = await open(values.addon ?? BUILT, {
  isolation: values.isolation,
  // Ten reloads a second would be ten starts of Node.js a second.
  host: { reuse: true },
  drainTimeoutMs: DRAIN_TIMEOUT_MS,
  ...(values.addon === undefined && { build: 'node-gyp', watch: true }),
});
const { server, counts, look } = serveQuotes(kernel);
server.listen(Number(values.port), '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();

/** What whoever started this process may ask for. */
const requests = {
  async reload() {
    const startMs = performance.now();
    const { status } = await kernel.reload();
    return { status, reloadMs: performance.now() - startMs };
  },
  async look() {
    return { ...counts, ...(await look()), rssBytes: process.memoryUsage.rss() };
  },
  async close() {
    server.close();
    await kernel.close();
    return {};
  },
};

if (process.send === undefined) {
  process.stdout.write(`http://localhost:${port}/quote/120 (${values.isolation})\n`);
  kernel.on('reloaded', ({ from, to }) => process.stdout.write(`version ${from} to ${to}\n`));
  kernel.on('failed', (error) => process.stderr.write(`${error.message}\n`));
} else {
  process.on('message', async (name) => {
    const answer = await requests[name]().catch((error) => ({ error: error.message }));
    process.send(answer, () => name === 'close' && process.disconnect());
  });
  // Whoever started it has gone.
  process.once('disconnect', () => process.exit());
  process.send({ port });
}
