/** How many points were made to fail, and what came of them that must not: of use to whoever runs all sweeps. */
import fs from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, expect } from 'vitest';

/** Of `npm run test:faults`: each point, in each way. */
export const isFull: boolean = process.env['FAULTS'] === 'all';

/** A file to which each sweep of a test file adds a line of JSON; see test/long/faults.mjs. */
const REPORT = process.env['FAULTS_REPORT'];
/** What is told of one bad outcome. */
const FOUND_MAX_CHARS = 3_000;
/** A sweep that meets so many has said what there is to say, and each may cost the time of a deadline. */
const BAD_MAX = 50;

export interface Bad {
  readonly point: string;
  readonly found: string;
}

const tallies: Tally[] = [];

// Not where a sweep ends: one that runs out of time does not end.
afterAll(() => {
  if (REPORT === undefined) return;
  for (const { category, points, bad } of tallies)
    fs.appendFileSync(REPORT, `${JSON.stringify({ category, points, bad })}\n`);
});

/** Of one sweep, which goes on after a bad point. */
export class Tally {
  readonly category: string;
  readonly bad: Bad[] = [];
  points = 0;

  constructor(category: string) {
    this.category = category;
    tallies.push(this);
  }

  add(point: string, bad: unknown = null): void {
    this.points += 1;
    if (bad !== null) this.addBad(point, bad);
  }

  /** Of what is no point, such as the last life, in which nothing fails. */
  addBad(point: string, bad: unknown): void {
    const found = typeof bad === 'string' ? bad : inspect(bad, { depth: 4 });
    this.bad.push({ point, found: found.slice(0, FOUND_MAX_CHARS) });
    if (this.bad.length === BAD_MAX) throw new Error(`given up: ${inspect(this.bad)}`);
  }

  expectGood(): void {
    expect(this.bad).toEqual([]);
  }
}
