/**
 * A version that used one facility of Node-API, libuv or the C library ends: each hook, finalizer and destructor of it
 * runs as often as in plain Node.js, and nothing of it stays.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { addon } from '../../fixtures/ledger/build.mjs';
import { compare, FACILITIES, KEEPS } from '../../fixtures/ledger/matrix.mjs';

const cases = FACILITIES.flatMap((facility) => KEEPS.map((keep) => ({ facility, keep })));

// Once, or each of the many children that start at the same time would build it.
beforeAll(() => void addon('full'));

describe.concurrent('a version', () => {
  test.each(cases)(
    'ends as in plain Node.js when $facility was used and $keep',
    async ({ facility, keep }) => {
      const { wanted, found } = await compare(facility, keep);
      expect(found).toEqual(wanted);
    },
  );
});
