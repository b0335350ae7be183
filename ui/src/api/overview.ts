// What /api/v1/overview, /map and /deploys answer. Durations are ns, times RFC 3339; what is not known is absent (null in series).
import type { Value } from './types.ts';

export type ServiceKind = 'service' | 'database' | 'messaging' | 'external';

/** What requests were like over some time. */
export interface Health {
  requests: number;
  errors: number;
  rate?: number;
  error_ratio?: number;
  p50?: number;
  p95?: number;
}

export interface OverviewService extends Health {
  service: string;
  kind: ServiceKind;
  system?: string;
  language?: string;
  runtime?: string;
  version?: string;
  version_since?: string;
  instances?: number;
  logs?: number;
  log_errors?: number;
  last?: string;
  before?: Health;
  spark?: { requests: number[]; errors: number[]; p95: (number | null)[] };
}

export interface Deploy {
  time: string;
  service: string;
  version: string;
  before?: string;
  requests?: number;
  errors?: number;
  error_ratio_before?: number;
  error_ratio_after?: number;
  p95_before?: number;
  p95_after?: number;
  worse?: boolean;
}

export interface Finding {
  state: 'failing' | 'slow' | 'healthy' | 'quiet';
  service?: string;
  since?: string;
  cause?: { kind: string; service?: string; version?: string; before?: string };
  requests?: number;
  errors?: number;
  error_ratio?: number;
  error_ratio_before?: number;
  p95?: number;
  p95_before?: number;
  /** Finds the spans that it is about. */
  query?: string;
}

export interface Overview {
  from: string;
  to: string;
  step: number;
  series: { time: string[]; requests: number[]; errors: number[]; p50: (number | null)[]; p95: (number | null)[] };
  services: OverviewService[];
  deploys: Deploy[];
  finding: Finding;
  more?: boolean;
}

export interface MapNode extends Health {
  service: string;
  kind: ServiceKind;
  system?: string;
}

export interface MapEdge extends Health {
  from: string;
  to: string;
}

export interface ServiceMap {
  nodes: MapNode[];
  edges: MapEdge[];
  more?: boolean;
}

/** A row of the step `patterns`. */
export interface PatternRow {
  pattern: string;
  count: number;
  share: number;
  first?: string;
  last?: string;
  level?: string;
  /** How many. */
  services?: number;
  example?: string;
}

/** A row of the step `differ`. */
export interface DifferRow {
  field: string;
  value: Value;
  in: number;
  out: number;
  score: number;
  /** Of a tenth of numbers: from <= value < to; an open end has none. */
  from?: number;
  to?: number;
}
