export function fillBlocks(markdown: string, report: unknown): string;
export function withoutBlocks(markdown: string): string;
export function blocksOf(markdown: string): string[];
