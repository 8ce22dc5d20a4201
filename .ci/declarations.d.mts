export function reachable(entries: readonly string[]): Set<string>;
export function entryDeclarations(): string[];
