// What the endpoints of administration answer.
export interface User {
  login: string;
  scopes: string[];
  state: 'active' | 'invited' | 'disabled';
  has_password: boolean;
  created: string;
  joined?: string;
  disabled?: string;
  sessions: number;
  last_used?: string;
  link_expires?: string;
}

export interface UserLink {
  login: string;
  scopes: string[];
  link: string;
  link_expires: string;
}

export interface Token {
  id: number;
  name: string;
  scopes: string[];
  project?: string;
  ends_in: string;
  created: string;
  created_by: string;
  last_used?: string;
  expires?: string;
  token?: string;
}

export interface Project {
  id: number;
  slug: string;
  created: string;
  dsn?: string;
}

export interface Key {
  id: number;
  key: string;
  created: string;
}

export interface Session {
  id: number;
  current: boolean;
  created: string;
  last_used: string;
  expires: string;
  peer?: string;
  agent?: string;
}

export interface AuditEntry {
  seq: number;
  time: string;
  actor: string;
  action: string;
  target: string;
  detail: string;
  hash: string;
}

export interface Verified {
  holds: boolean;
  entries: number;
  head: string;
  bad_seq?: number;
  message?: string;
}

export interface Storage {
  retention: number;
  snapshot_retention: number;
  disk_cap: number;
  directory: string;
  disk_total?: number;
  disk_free?: number;
  used: number;
  bytes_a_day?: number;
  measured_over?: number;
  full_in?: { days: number; by: 'cap' | 'disk'; retention_first?: boolean; levels_at?: number };
  log_bytes: number;
  log_files: number;
  head_rows: number;
  head_bytes: number;
  parts: number;
  part_rows: number;
  part_bytes: number;
  merge_debt_rows: number;
  parts_expired: number;
  duplicates_dropped: number;
  takes_records: boolean;
  why?: string;
  hours_from: string;
  sources: { source: string; parts: number; rows: number; bytes: number; oldest: string; newest: string; hours: number[] }[];
}

export interface Setting {
  key: string;
  value?: string;
  default?: string;
  origin: 'default' | 'file' | 'environment' | 'flag';
  flag: string;
  environment: string;
  doc: string;
}

export interface Server {
  version: string;
  pid: number;
  started: string;
  data: string;
  listening: { address: string; takes: 'all' | 'otlp'; tls: boolean }[];
  settings: Setting[];
  findings: { ok: boolean; what: string; more?: string; fix?: string }[];
}
