import { describe, expect, test } from 'vitest';
import { createBudget } from '../../../src/retire/budget.ts';

/** The number of mappings stands still, or is set by the test: reaching 40,000 for real takes minutes. */
function budgetAt(mappings: number, limits = { keptWarn: 3, mappingsWarn: 200, mappingsMax: 400 }) {
  const state = { mappings, counts: 0 };
  const native = {
    countMappings: () => {
      state.counts += 1;
      return state.mappings;
    },
  } as unknown as Parameters<typeof createBudget>[0]['native'];
  return { budget: createBudget({ native }, limits), state };
}

describe('budget', () => {
  test('admits in silence while there is room', () => {
    expect(budgetAt(100).budget.admit(5, 'a.node')).toBeNull();
  });

  test('warns once of kept versions', () => {
    const { budget } = budgetAt(10);
    for (let i = 0; i < 3; i++) budget.keep();
    expect(budget.admit(5, 'a.node')).toMatch(/^3 kept versions/);
    expect(budget.admit(5, 'a.node')).toBeNull();
  });

  test('warns once of mappings', () => {
    const { budget } = budgetAt(198);
    expect(budget.admit(5, 'a.node')).toMatch(/203 memory mappings/);
    expect(budget.admit(5, 'a.node')).toBeNull();
  });

  test('refuses at the limit, and admits again when mappings have gone', () => {
    const { budget, state } = budgetAt(398);
    expect(() => budget.admit(5, 'a.node')).toThrow(
      expect.objectContaining({
        code: 'ERR_VERSION_BUDGET',
        details: { addon: 'a.node', mappings: 403, mappingsMax: 400, keptVersions: 0 },
      }),
    );
    state.mappings = 20;
    expect(budget.admit(5, 'a.node')).toBeNull();
  });

  test('counts what it loads itself between two counts', () => {
    const { budget, state } = budgetAt(0);
    for (let i = 0; i < 60; i++) budget.admit(1, 'a.node');
    expect(state.counts).toBe(1);
  });

  test('never lets its own loads pass the limit between two counts', () => {
    const { budget, state } = budgetAt(0);
    const load = () => {
      budget.admit(10, 'a.node');
      state.mappings += 10;
    };
    expect(() => {
      for (let i = 0; i < 100; i++) load();
    }).toThrow(expect.objectContaining({ code: 'ERR_VERSION_BUDGET' }));
    expect(state.mappings).toBeLessThanOrEqual(400);
  });
});
