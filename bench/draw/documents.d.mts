export interface Figure {
  median: number;
  p10: number;
  p90: number;
  rounds: number;
  least?: number;
}
export interface Subject {
  title: string;
  along: string;
  grows?: 'count' | 'bytes';
  columns: Record<string, { title: string; unit: 'ms' | 'µs' | 'ns' | 'bytes' | 'times' | 'count' }>;
  rows: Record<string, Record<string, Figure>>;
  draws: readonly string[];
  absent?: Record<string, string>;
}
export interface Report {
  short: boolean;
  commit: string | null;
  isChanged: boolean;
  machine: Record<string, string | number | null>;
  took: Record<string, number>;
  subjects: Record<string, Subject>;
}
export const FOLDER: string;
export const REPORT: string;
export function drawDocuments(report: Report): [string, string][];
export function readDocuments(root: string): [string, string][];
export function documentsOf(root: string, report: Report): [string, string][];
export function faultsOf(report: Report, wanted: readonly string[]): string[];
