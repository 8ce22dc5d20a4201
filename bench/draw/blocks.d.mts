import type { Report } from './documents.mjs';
export function fillBlocks(markdown: string, report: Report): string;
export function withoutBlocks(markdown: string): string;
export function blocksOf(markdown: string): string[];
export function strayMarks(markdown: string): string[];
