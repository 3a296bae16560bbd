export type { NetworkChange } from './connection-findings.ts';
export { type ExplainOptions, type Explanation, explain } from './explanation.ts';
export type { Finding, FindingKind, Health } from './finding.ts';
