export const REPORT: string;
export function drawDocuments(report: unknown): [string, string][];
export function readDocuments(root: string): [string, string][];
export function documentsOf(root: string, report: unknown): [string, string][];
