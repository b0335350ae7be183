// Scopes in the words of people: three usual sets, and whatever else somebody has put together.
export const SCOPES: [string, string][] = [
  ['ingest', 'send records'],
  ['read', 'query records, open pages'],
  ['values', 'read captured variables; each time is entered in the audit trail'],
  ['probe', 'place probes, except in production'],
  ['probe_prod', 'place probes in production, too'],
  ['patch', 'change running code; nothing does so yet'],
  ['admin', 'users, tokens, projects, agents, settings'],
];

export const ROLES: { name: string; scopes: string[]; says: string }[] = [
  { name: 'Reader', scopes: ['read'], says: 'sees records' },
  { name: 'Member', scopes: ['read', 'values'], says: 'sees records and captured values' },
  { name: 'Developer', scopes: ['read', 'values', 'probe'], says: 'sees captured values and places probes, except in production' },
  { name: 'Administrator', scopes: SCOPES.map(([scope]) => scope), says: 'may do everything, probes in production too' },
];

/** The role that is exactly these scopes, else `Custom`. */
export function roleOf(scopes: string[]): string {
  const found = ROLES.find((role) => role.scopes.length === scopes.length && role.scopes.every((scope) => scopes.includes(scope)));
  return found?.name ?? 'Custom';
}

/** `Reader`, or for a set without a name the scopes themselves. */
export function roleWords(scopes: string[]): string {
  const role = roleOf(scopes);
  return role === 'Custom' ? scopes.join(', ') : role;
}

/** Nobody hands out more than he has. */
export function mayHandOut(mine: string[] | undefined, scopes: string[]): boolean {
  return scopes.every((scope) => mine?.includes(scope));
}
