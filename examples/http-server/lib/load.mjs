/**
 * The load, in a process of its own: autocannon asks for quotes, and each answer is checked. Started by `run.mjs` with
 * its order as JSON; its answer is a message.
 */
import autocannon from 'autocannon';
import { priceOf, UNITS_MAX } from './prices.mjs';

/** Faults that are kept as text. */
const FAULTS_MAX = 5;

/** @typedef {{ url: string, seconds: number, connections: number }} Order */

/** @param {Order} order */
async function run({ url, seconds, connections }) {
  const latenciesMs = [];
  const sequences = new Set();
  const records = new Set();
  const versions = new Set();
  const faults = [];
  let wrong = 0;
  let asked = 0;
  const isNew = (numbers, number) => numbers.size < numbers.add(number).size;
  const check = (status, body, { units }) => {
    if (status !== 200) return `status ${status}: ${body}`;
    const quote = JSON.parse(body);
    versions.add(quote.version);
    if (quote.units !== units) return `asked for ${units} units, got ${quote.units}`;
    if (quote.cents !== priceOf(units, quote.version)) return `a wrong price: ${body}`;
    // Whatever two answers share was counted by one version and forgotten by the next.
    if (!isNew(sequences, quote.sequence)) return `sequence ${quote.sequence} twice`;
    if (!isNew(records, quote.recorded)) return `record ${quote.recorded} twice`;
    return null;
  };
  const instance = autocannon({
    url,
    connections,
    duration: seconds,
    sampleInt: Math.min(1000, (seconds * 1000) / 4),
    requests: [
      {
        setupRequest(request, context) {
          asked += 1;
          context.units = (asked % UNITS_MAX) + 1;
          return { ...request, path: `/quote/${context.units}` };
        },
        onResponse(status, body, context) {
          const fault = check(status, body, context);
          if (fault === null) return;
          wrong += 1;
          if (faults.length < FAULTS_MAX) faults.push(fault);
        },
      },
    ],
  });
  instance.on('response', (_client, _status, _bytes, ms) => latenciesMs.push(ms));
  const { errors, timeouts, non2xx } = await instance;
  latenciesMs.sort((a, b) => a - b);
  const quantile = (part) => latenciesMs[Math.floor(latenciesMs.length * part)] ?? Number.NaN;
  return {
    requests: latenciesMs.length,
    // What has no 2xx is wrong as well, and timeouts are errors.
    failed: wrong + errors,
    non2xx,
    errors,
    timeouts,
    faults,
    versions: versions.size,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: latenciesMs.at(-1) ?? Number.NaN,
  };
}

const answer = await run(JSON.parse(process.argv[2] ?? ''));
process.send?.(answer, () => process.disconnect());
