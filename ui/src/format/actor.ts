/** "user:ada" as `ada`, "a3" as `agent a3`; who acts on the server's own machine is told from who signs in. */
export function actorWords(actor: string | undefined): string {
  if (!actor) return 'nobody known';
  if (actor === 'token:command line') return 'the server’s command line';
  if (actor.startsWith('user:')) return actor.slice(5);
  if (actor.startsWith('token:')) return `token ${actor.slice(6)}`;
  if (actor.startsWith('cli:')) return `${actor.slice(4)}, on the machine`;
  return /^a\d+$/.test(actor) ? `agent ${actor}` : actor;
}
