// Ctrl K: to a trace, span or error by its id, to an issue, a service, a page, a query; and commands.

import { signal } from '@preact/signals';
import type { IconNode } from 'lucide';
import { ChartNoAxesGantt, ChevronRight, OctagonAlert, Search } from 'lucide';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { getJson, runQuery, serverNow } from '../api/client.ts';
import { loadIssues } from '../api/issues.ts';
import { plural } from '../format/number.ts';
import { TABS } from '../pages.ts';
import { Icon } from '../parts/Icon.tsx';
import { trailFromHere } from '../parts/Link.tsx';
import { range } from '../state/live.ts';
import { go, href } from '../state/route.ts';
import { kept } from '../state/scope.ts';
import { hueOf } from '../state/services.ts';
import { commandTargets, runCommand } from './commands.ts';
import { type Kind, remember, type ServiceRow, serviceQuery, type Target, targetsFor } from './targets.ts';

export const jumpOpen = signal(false);

export function JumpButton() {
  return (
    <button type="button" class="ctl jump wide" onClick={() => (jumpOpen.value = true)}>
      <Icon icon={Search} size={14} />
      <span class="grow">Jump to anything</span>
      <span class="kbd">Ctrl K</span>
    </button>
  );
}

const ICONS: Record<Kind, IconNode> = {
  trace: ChartNoAxesGantt,
  span: ChartNoAxesGantt,
  event: OctagonAlert,
  issue: OctagonAlert,
  service: ChartNoAxesGantt,
  page: Search,
  command: ChevronRight,
  query: Search,
};

function iconOf(target: Target): IconNode {
  return TABS.find((tab) => target.kind === 'page' && tab.to === target.id)?.icon ?? ICONS[target.kind];
}

const RECENT_KEY = 'clew.recent';

function recentTargets(): Target[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(RECENT_KEY) ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.filter((e): e is Target => e?.kind in ICONS && typeof e.id === 'string' && typeof e.label === 'string');
  } catch {
    return [];
  }
}

function keep(target: Target): void {
  try {
    localStorage.setItem(RECENT_KEY, JSON.stringify(remember(recentTargets(), target)));
  } catch {
    // storage is refused: nothing is remembered
  }
}

const MONO = new Set<Kind>(['trace', 'span', 'event', 'query']);

const ISSUES = 5;
const ISSUE_DAYS = 14;
const PAUSE_MS = 150;

/** Issues whose titles have the text; asked when the reader pauses. */
function useIssues(text: string): Target[] {
  const [found, setFound] = useState<{ text: string; issues: Target[] }>({ text: '', issues: [] });
  const wanted = text.trim();
  useEffect(() => {
    if (wanted.length < 3 || /^(spans|logs|issues)\b/.test(wanted)) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      const to = serverNow();
      const query = `issues '${wanted.replaceAll("'", "''")}'`;
      const params = { query, from: to - ISSUE_DAYS * 86_400_000, to, sort: 'last', buckets: 2, limit: ISSUES };
      loadIssues(params, abort.signal).then(
        ({ issues }) =>
          setFound({
            text: wanted,
            issues: issues.map(({ short, title }) => ({ kind: 'issue', id: short, label: title, what: short })),
          }),
        () => undefined,
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [wanted]);
  return wanted.length >= 3 && wanted.startsWith(found.text) ? found.issues : [];
}
const PAGE_TARGETS: Target[] = TABS.map((tab) => ({ kind: 'page', id: tab.to, label: tab.label, what: 'page' }));

function follow(target: Target): void {
  keep(target);
  if (target.kind === 'trace') go(`/traces/${target.id}`, { trail: trailFromHere() });
  else if (target.kind === 'issue') go(href(`/issues/${target.id}`, kept.value), { trail: trailFromHere() });
  else if (target.kind === 'event') go(href(`/events/${target.id}`, kept.value), { trail: trailFromHere() });
  else if (target.kind === 'span') void followSpan(target.id);
  else if (target.kind === 'service') go(href('/traces', { ...kept.value, q: serviceQuery(target.id) }));
  else if (target.kind === 'command') runCommand(target.id);
  else if (target.kind === 'query') go(href(pageOf(target.id), { ...kept.value, q: target.id }));
  else go(href(target.id, kept.value));
}

function pageOf(query: string): string {
  const page = { logs: '/logs', issues: '/issues' }[/^\w+/.exec(query)?.[0] ?? ''];
  return page ?? '/traces';
}

const SPAN_DAYS = 30;

/** The trace that a span is in, the span chosen; else the list says that there is none. */
async function followSpan(id: string): Promise<void> {
  const to = serverNow();
  const query = `spans span=${id}`;
  const found = await runQuery<{ trace: string }>(`${query} | select trace`, { from: to - SPAN_DAYS * 86_400_000, to }, 1).catch(
    () => undefined,
  );
  const trace = found?.rows[0]?.trace;
  if (trace) go(`/traces/${trace}?span=${id}`, { trail: trailFromHere() });
  else go(href('/traces', { ...kept.value, q: query }));
}

export function Jump() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [services, setServices] = useState<ServiceRow[]>([]);
  const open = jumpOpen.value;
  // Before the next key can be pressed: whoever types on at once types into the field.
  useLayoutEffect(() => {
    if (!open) return dialog.current?.close();
    setText('');
    setAt(0);
    dialog.current?.showModal();
    const { from, to } = range.value;
    getJson<{ services: ServiceRow[] }>('/api/v1/services', { from, to }).then(
      (answer) => setServices(answer.services),
      () => setServices([]),
    );
  }, [open]);
  const recent = useMemo(() => (open ? recentTargets() : []), [open]);
  const issues = useIssues(open ? text : '');
  const targets = open ? targetsFor(text, { issues, services, pages: PAGE_TARGETS, commands: commandTargets(), recent }) : [];
  const chosen = Math.min(at, targets.length - 1);
  const run = (target: Target | undefined) => {
    if (!target) return;
    jumpOpen.value = false;
    follow(target);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, targets.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0));
    else if (event.key === 'Enter') run(targets[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    // The event of a closing comes later than the next key may: then it is open again.
    <dialog
      ref={dialog}
      class="pop jumper"
      aria-label="Jump to anything"
      onClose={(event) => {
        if (!event.currentTarget.open) jumpOpen.value = false;
      }}
    >
      {open && (
        <>
          <label class="row find">
            <Icon icon={Search} size={14} />
            <input
              class="grow"
              role="combobox"
              aria-expanded="true"
              aria-controls="jump-list"
              aria-activedescendant={chosen >= 0 ? `jump-${chosen}` : undefined}
              aria-label="Trace, span or event id, issue, service, page, query or command"
              placeholder="Id, issue, service, page, query, command"
              value={text}
              spellcheck={false}
              autocomplete="off"
              onInput={(event) => {
                setText(event.currentTarget.value);
                setAt(0);
              }}
              onKeyDown={onKeyDown}
            />
          </label>
          <div id="jump-list" role="listbox" aria-label="Places" class="list scroll">
            {targets.map((target, index) => (
              <div
                class="item"
                role="option"
                id={`jump-${index}`}
                key={`${target.kind} ${target.id}`}
                aria-selected={index === chosen}
                onClick={() => run(target)}
                onPointerMove={() => setAt(index)}
              >
                {target.kind === 'service' ? <span class={`svc h${hueOf(target.id)}`} /> : <Icon icon={iconOf(target)} size={14} />}
                <span class={MONO.has(target.kind) && target.what !== 'search' ? 'mono cut' : 'cut'}>{target.label}</span>
                <span class="end d3 sm">{target.rows === undefined ? target.what : plural(target.rows, 'span')}</span>
              </div>
            ))}
          </div>
        </>
      )}
    </dialog>
  );
}
