// Menus of what can be done to issues; the list's table head, the peek and the issue's page share them.
import { ChevronDown } from 'lucide';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { getJson, me, serverNow } from '../api/client.ts';
import type { Assignee, Change, Issue, Priority } from '../api/issues.ts';
import { useLoad } from '../api/load.ts';
import { Icon } from '../parts/Icon.tsx';
import { Popover } from '../parts/Popover.tsx';
import { archive, change, resolve } from './deeds.ts';
import { Avatar, PriorityBars } from './Marks.tsx';
import { PRIORITIES } from './words.ts';

interface MenuProps {
  issues: readonly Issue[];
  label: ComponentChildren;
  class?: string;
  title?: string;
  align?: 'left' | 'right';
  up?: boolean;
}

/** Opens one of these menus, as a key does. */
export function openMenu(name: string): void {
  const button = [...document.querySelectorAll<HTMLElement>(`[data-menu="${name}"] > .menu > button`)].find((one) => one.offsetParent);
  button?.click();
}

export function Chevron() {
  return <Icon icon={ChevronDown} size={14} />;
}

const HOURS = 3_600_000;
const TIMES: [string, number][] = [
  ['an hour', HOURS],
  ['a day', 24 * HOURS],
  ['a week', 168 * HOURS],
  ['30 days', 720 * HOURS],
];
const AMOUNTS = [10, 100, 1000];

export function ArchiveMenu({ issues, ...rest }: MenuProps) {
  return (
    <span data-menu="archive">
      <Popover {...rest} title={rest.title ?? 'Archive until'}>
        {(close) => {
          const item = (label: string, until: Change['until']) => (
            <button
              type="button"
              class="item"
              key={label}
              onClick={() => {
                close();
                archive(issues, until);
              }}
            >
              {label}
            </button>
          );
          return (
            <div class="scroll tallmenu">
              {item('Until it escalates', { kind: 'escalating' })}
              <p class="tip xs d3">For a time</p>
              {TIMES.map(([label, ms]) => item(`For ${label}`, { kind: 'time', time: new Date(serverNow() + ms).toISOString() }))}
              <p class="tip xs d3">Until it is more than a nuisance</p>
              {AMOUNTS.map((n) => item(`Until ${n.toLocaleString('en-US')} more events`, { kind: 'events', n }))}
              {item('Until 100 events in an hour', { kind: 'events', n: 100, window_s: 3600 })}
              {AMOUNTS.slice(0, 2).map((n) => item(`Until ${n} more users`, { kind: 'users', n }))}
              <p class="tip xs d3">Whatever happens</p>
              {item('Forever', { kind: 'forever' })}
            </div>
          );
        }}
      </Popover>
    </span>
  );
}

export function ResolveMenu({ issues, ...rest }: MenuProps) {
  const release = commonRelease(issues);
  const [commit, setCommit] = useState('');
  return (
    <span data-menu="resolve">
      <Popover {...rest} title={rest.title ?? 'Resolve in'}>
        {(close) => {
          const run = (how: Change['resolved_in']) => {
            close();
            resolve(issues, how);
          };
          return (
            <>
              <button type="button" class="item" onClick={() => run({ kind: 'now' })}>
                Now
              </button>
              <button type="button" class="item" disabled={!release} onClick={() => run({ kind: 'release', ...(release && { release }) })}>
                In the current release <span class="end mono d3">{release ? '' : 'none is known'}</span>
                {release && <span class="mono d3 cut relname">{release}</span>}
              </button>
              <button type="button" class="item" disabled={!release} onClick={() => run({ kind: 'next_release' })}>
                In the next release
              </button>
              <form
                class="custom"
                onSubmit={(event) => {
                  event.preventDefault();
                  if (commit.trim()) run({ kind: 'commit', commit: commit.trim() });
                }}
              >
                <label>
                  <span class="sm d3">Commit</span>
                  <input
                    class="text mono"
                    value={commit}
                    placeholder="hash"
                    spellcheck={false}
                    onInput={(event) => setCommit(event.currentTarget.value)}
                  />
                </label>
                <button type="submit" class="btn" disabled={!/^[0-9a-fA-F]{7,64}$/.test(commit.trim())}>
                  Resolve in this commit
                </button>
              </form>
            </>
          );
        }}
      </Popover>
    </span>
  );
}

function commonRelease(issues: readonly Issue[]): string | undefined {
  const [first, ...rest] = issues.map((issue) => issue.last_release);
  return rest.every((release) => release === first) ? first : undefined;
}

export function PriorityMenu({ issues, ...rest }: MenuProps) {
  const set = (priority: Priority) => void change(issues, { priority });
  return (
    <span data-menu="priority">
      <Popover {...rest} title={rest.title ?? 'Priority'}>
        {(close) =>
          PRIORITIES.map((priority) => (
            <button
              type="button"
              class="item"
              key={priority}
              onClick={() => {
                close();
                set(priority);
              }}
            >
              <PriorityBars priority={priority} />
              {priority}
            </button>
          ))
        }
      </Popover>
    </span>
  );
}

export function myself(): Assignee {
  return { kind: 'user', name: me.value?.name ?? '' };
}

export function AssignMenu({ issues, ...rest }: MenuProps) {
  return (
    <span data-menu="assign">
      <Popover {...rest} title={rest.title ?? 'Assign to'}>
        {(close) => <People issues={issues} close={close} />}
      </Popover>
    </span>
  );
}

const same = (a: Assignee, b: Assignee | null | undefined) => a.kind === b?.kind && a.name === b?.name;

/** Oneself, who owns the code, the others of the workspace, or a name that is written. */
function People({ issues, close }: { issues: readonly Issue[]; close: () => void }) {
  const [wanted, setWanted] = useState('');
  const admin = me.value?.scopes?.includes('admin') ?? false;
  const known = useLoad('users', 'users', async (abort) => {
    if (!admin) return [];
    const answer = await getJson<{ users: { login: string; state: string }[] }>('/api/v1/users', {}, abort);
    return answer.users.filter((user) => user.state !== 'disabled').map((user): Assignee => ({ kind: 'user', name: user.login }));
  });
  const people: Assignee[] = [myself()];
  for (const one of [...issues.flatMap((issue) => [issue.assignee, ...(issue.owners ?? [])]), ...(known.data.value ?? [])])
    if (one && !people.some((other) => same(other, one))) people.push({ kind: one.kind, name: one.name });
  const typed = wanted.trim();
  const team = typed.startsWith('#') || typed.startsWith('@');
  const shown = people.filter((one) => one.name.toLowerCase().includes(typed.replace(/^[#@]/, '').toLowerCase()));
  const set = (assignee: Assignee | null) => {
    close();
    void change(issues, { assignee });
  };
  const nobody = issues.every((issue) => !issue.assignee);
  return (
    <div class="people">
      <label class="find">
        <input
          aria-label="Name of a person, or @team"
          placeholder="Name, or @team"
          value={wanted}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setWanted(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            const first = shown[0] ?? (typed ? ({ kind: team ? 'team' : 'user', name: typed } as Assignee) : undefined);
            if (first) set(first);
          }}
        />
      </label>
      <div class="scroll tallmenu">
        {shown.map((one) => (
          <button type="button" class="item" key={`${one.kind} ${one.name}`} onClick={() => set(one)}>
            <Avatar of={one} />
            <span class="cut">{one.name}</span>
            <span class="end d3 sm">
              {same(one, myself()) ? 'you' : issues.some((issue) => issue.owners?.some((owner) => same(one, owner))) ? 'owns the code' : ''}
            </span>
          </button>
        ))}
        {typed && shown.length === 0 && (
          <button type="button" class="item" onClick={() => set({ kind: team ? 'team' : 'user', name: typed })}>
            <Avatar of={{ kind: team ? 'team' : 'user', name: typed }} />
            <span class="cut">{typed}</span>
          </button>
        )}
        {!nobody && (
          <button type="button" class="item" onClick={() => set(null)}>
            <Avatar of={null} />
            Nobody
          </button>
        )}
      </div>
    </div>
  );
}
