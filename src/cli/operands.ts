/** What the names of operands say of them. */
import type { Command, Operand } from './command.ts';

export function operandsOf({ operands }: Command): readonly Operand[] {
  return operands.map((operand) => (typeof operand === 'string' ? { name: operand, summary: '' } : operand));
}

export function isRequired({ name }: Operand): boolean {
  return name.startsWith('<');
}

export function isOpenEnded({ name }: Operand): boolean {
  return /(\.\.\.|…)[\]>]$/.test(name);
}
