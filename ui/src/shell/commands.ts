// What the jump field can do beside going somewhere.
import { me } from '../api/client.ts';
import { askedOpen, commandLines } from '../parts/Asked.tsx';
import { asks } from '../state/asks.ts';
import { live, refresh } from '../state/live.ts';
import { page } from '../state/page.ts';
import { PRESETS } from '../state/range.ts';
import { go, setParams } from '../state/route.ts';
import { cycleTheme } from '../state/theme.ts';
import { signOut } from './Account.tsx';
import { helpOpen } from './Help.tsx';
import type { Target } from './targets.ts';

interface Command {
  id: string;
  label: string;
  /** Is it any use here? */
  here?: () => boolean;
  run: () => void;
}

const hasAsks = () => asks.value.length > 0;
const ranged = () => page.value.ranged;

const COMMANDS: Command[] = [
  { id: 'live', label: 'Live updates, or pause', here: ranged, run: () => (live.value = !live.value) },
  { id: 'refresh', label: 'Refresh', run: refresh },
  { id: 'asks', label: 'Show what this page asks', here: hasAsks, run: () => (askedOpen.value = true) },
  {
    id: 'copy-asks',
    label: 'Copy what this page asks as command lines',
    here: hasAsks,
    run: () => void navigator.clipboard.writeText(commandLines()),
  },
  { id: 'copy-link', label: 'Copy a link to this view', run: () => void navigator.clipboard.writeText(location.href) },
  ...PRESETS.map(([from, label]) => ({
    id: `range ${from}`,
    label,
    here: ranged,
    run: () => setParams({ from, to: undefined }),
  })),
  { id: 'setup', label: 'Connect a service', run: () => go('/setup') },
  { id: 'alert-rule', label: 'New alert rule', run: () => go('/alerts/new') },
  { id: 'add-monitor', label: 'Add a monitor', run: () => go('/monitors?add=1') },
  ...['users', 'tokens', 'projects', 'storage', 'audit', 'server', 'you'].map((section) => ({
    id: `settings ${section}`,
    label: `Settings: ${section}`,
    here: () => section === 'you' || (me.value?.scopes?.includes('admin') ?? false),
    run: () => go(`/settings/${section}`),
  })),
  { id: 'theme', label: 'Theme: system, light, dark', run: cycleTheme },
  { id: 'keys', label: 'Keys', run: () => (helpOpen.value = true) },
  { id: 'sign-out', label: 'Sign out', run: () => void signOut() },
];

export function commandTargets(): Target[] {
  return COMMANDS.filter((command) => command.here?.() ?? true).map(({ id, label }) => ({ kind: 'command', id, label, what: 'command' }));
}

export function runCommand(id: string): void {
  COMMANDS.find((command) => command.id === id)?.run();
}
