/** The data set: 200,000 flights within the United States, as the npm package vega-datasets ships them. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Numbers for one flight in what the kernel's `push` takes: delay in minutes, hour of departure. */
export const COLUMNS = 2;

/**
 * Reads the flights in the order of their departure.
 *
 * @returns {Promise<{ rows: number, cells: Float64Array }>} `cells` holds `COLUMNS` numbers for each row
 */
export async function readFlights() {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  const file = path.resolve(path.dirname(entry), '../data/flights-200k.json');
  const flights = JSON.parse(await readFile(file, 'utf8'));
  const cells = new Float64Array(flights.length * COLUMNS);
  for (const [index, { delay, time }] of flights.entries()) {
    cells[index * COLUMNS] = delay;
    cells[index * COLUMNS + 1] = Math.floor(time);
  }
  return { rows: flights.length, cells };
}
