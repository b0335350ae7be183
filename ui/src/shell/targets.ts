// Where one can jump to, for a text.
export interface ServiceRow {
  service?: string;
  spans: number;
  errors: number;
}

export interface Target {
  kind: 'trace' | 'service' | 'traces' | 'logs' | 'theme';
  id: string;
  label: string;
  what: string;
  rows?: number;
}

const PAGES: Target[] = [
  { kind: 'traces', id: '', label: 'Traces', what: 'page' },
  { kind: 'logs', id: '', label: 'Logs', what: 'page' },
  { kind: 'theme', id: '', label: 'Theme: system, light, dark', what: 'command' },
];

/** 16 or 32 hex digits, dashes ignored, also out of a pasted traceparent. */
export function traceIdIn(text: string): string | undefined {
  const parent = /\b[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b/i.exec(text);
  if (parent?.[1]) return parent[1].toLowerCase();
  const bare = text.trim().replaceAll('-', '').toLowerCase();
  if (/^[0-9a-f]{32}$/.test(bare)) return bare;
  return /^[0-9a-f]{16}$/.test(bare) ? bare.padStart(32, '0') : undefined;
}

export function targetsFor(text: string, services: ServiceRow[]): Target[] {
  const id = traceIdIn(text);
  if (id) return [{ kind: 'trace', id, label: id, what: 'trace' }];
  const wanted = text.trim().toLowerCase();
  const named = services.flatMap((row): Target[] =>
    row.service ? [{ kind: 'service', id: row.service, label: row.service, what: 'service', rows: row.spans }] : [],
  );
  return [...PAGES, ...named].filter((target) => target.label.toLowerCase().includes(wanted)).slice(0, 40);
}
