// Scopes in the words of people: three usual sets, and whatever else somebody has put together.
export const SCOPES: [string, string][] = [
  ['ingest', 'send records'],
  ['read', 'query records, open pages'],
  ['values', 'read captured values'],
  ['probe', 'place probes'],
  ['probe_prod', 'place probes in production'],
  ['patch', 'change running code'],
  ['admin', 'users, tokens, projects, settings'],
];

export const ROLES: { name: string; scopes: string[]; says: string }[] = [
  { name: 'Reader', scopes: ['read'], says: 'sees records' },
  { name: 'Member', scopes: ['read', 'values'], says: 'sees records and captured values' },
  { name: 'Administrator', scopes: SCOPES.map(([scope]) => scope), says: 'may do everything' },
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
