/** The HTTP server: its handler calls the kernel, wherever that runs. */
import { createServer } from 'node:http';

/**
 * Answers `GET /quote/<units>`. The handler is the same for each isolation: it awaits what `inline` returns at once.
 *
 * @param {import('napi-reload').Addon} kernel
 */
export function serveQuotes(kernel) {
  // Taken once: what they lead to changes with each reload.
  const { quote, Histogram } = kernel.exports;
  const prices = new Histogram();
  const counts = { answered: 0, failed: 0 };

  const answer = async (path) => {
    const units = Number(/^\/quote\/(\d+)$/.exec(path)?.[1]);
    if (!(units > 0)) return { status: 404, body: { error: 'wanted /quote/<units>' } };
    const { version, sequence, cents } = await quote(units);
    const recorded = await prices.record(cents);
    return { status: 200, body: { version, sequence, recorded, units, cents } };
  };
  const server = createServer((request, response) => {
    answer(request.url ?? '').then(
      ({ status, body }) => {
        if (status === 200) counts.answered += 1;
        send(response, status, body);
      },
      (error) => {
        counts.failed += 1;
        send(response, 500, { error: error.message });
      },
    );
  });
  return {
    server,
    /** What the server itself has counted. No version of the kernel takes part in that. */
    counts,
    /** What the kernel has counted: one quote more than before. */
    async look() {
      const { version, sequence } = await quote(1);
      return { version, sequence, recorded: await prices.record(0), median: await prices.quantile(0.5) };
    },
  };
}

function send(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
}
