// The frame around every page.
import { ChartNoAxesGantt, Logs, Moon, Pause, Play, RotateCw, Sun, SunMoon } from 'lucide';
import type { ComponentChildren } from 'preact';
import { me, send } from '../api/client.ts';
import { Ball, Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { Popover } from '../parts/Popover.tsx';
import { useKeys } from '../state/keys.ts';
import { connected, live, range, refresh, shift } from '../state/live.ts';
import { page } from '../state/page.ts';
import { go, href, param, place } from '../state/route.ts';
import { cycleTheme, setTheme, theme } from '../state/theme.ts';
import { Help, helpOpen } from './Help.tsx';
import { Jump, JumpButton, jumpOpen } from './Jump.tsx';
import { RangePicker } from './RangePicker.tsx';

const TABS = [
  { id: 'traces', label: 'Traces', to: '/traces', icon: ChartNoAxesGantt },
  { id: 'logs', label: 'Logs', to: '/logs', icon: Logs },
] as const;

/** From page to page the range stays. */
function withRange(to: string): string {
  return href(to, { from: param('from'), to: param('to') });
}

export function Shell({ children }: { children: ComponentChildren }) {
  useKeys('Everywhere', [
    { keys: ['/'], does: 'query or find', run: () => document.querySelector<HTMLElement>('[data-slash]')?.focus() },
    { keys: ['Ctrl+k'], does: 'jump to anything', run: () => (jumpOpen.value = true) },
    { keys: ['?'], does: 'these keys', run: () => (helpOpen.value = !helpOpen.value) },
    { keys: ['g t'], does: 'go to traces', run: () => go(withRange('/traces')) },
    { keys: ['g l'], does: 'go to logs', run: () => go(withRange('/logs')) },
    { keys: ['['], does: 'earlier', run: () => shift(-1) },
    { keys: [']'], does: 'later', run: () => shift(1) },
    { keys: ['l'], does: 'live or pause', run: () => (live.value = !live.value) },
    { keys: ['r'], does: 'refresh', run: refresh },
    { keys: ['.'], does: 'theme', run: cycleTheme },
  ]);
  return (
    <div class="shell">
      <Rail />
      <header class="top">
        <Ball class="ham" />
        <Crumbs />
        <JumpButton />
        {page.value.ranged && <RangeControls />}
        <span class="narrow">
          <Account />
        </span>
      </header>
      <main class="plane" id="main" tabIndex={-1}>
        {children}
      </main>
      <Help />
      <Jump />
    </div>
  );
}

function Rail() {
  return (
    <nav class="rail" aria-label="Main">
      <Link class="ball" href="/" aria-label="Clew, to the start">
        <Ball />
      </Link>
      {TABS.map((tab) => (
        <Link class="tab" key={tab.id} href={withRange(tab.to)} aria-current={page.value.tab === tab.id ? 'page' : undefined}>
          <Icon icon={tab.icon} size={18} />
          {tab.label}
        </Link>
      ))}
      <span class="sp" />
      <span class="wide">
        <Account up />
      </span>
    </nav>
  );
}

function Crumbs() {
  const { trail } = place.value;
  return (
    <nav class="crumbs" aria-label="You are here">
      <ol>
        {trail.map((knot, index) => (
          <li class="up" key={knot.href}>
            <i />
            <span class="k" />
            <a
              href={knot.href}
              onClick={(event) => {
                event.preventDefault();
                go(knot.href, { trail: trail.slice(0, index) });
              }}
            >
              {knot.label}
            </a>
          </li>
        ))}
        <li>
          <i />
          <span class="k on" />
          <b aria-current="page">{page.value.here}</b>
        </li>
      </ol>
    </nav>
  );
}

function RangeControls() {
  const moving = live.value && range.value.relative;
  return (
    <>
      <RangePicker />
      <span class="seg wide">
        <button
          type="button"
          title={
            range.value.relative
              ? moving
                ? `${connected.value ? 'Live' : 'Connecting'}; pause (l)`
                : 'Live updates (l)'
              : 'Live needs a range that ends now'
          }
          aria-label="Live updates"
          aria-pressed={moving}
          disabled={!range.value.relative}
          onClick={() => (live.value = !live.value)}
        >
          {moving ? <span class={`dot ${connected.value ? 'k' : 'w'}`} /> : null}
          <Icon icon={moving ? Pause : Play} size={14} />
        </button>
        <button type="button" title="Refresh (r)" aria-label="Refresh" onClick={refresh}>
          <Icon icon={RotateCw} size={14} />
        </button>
      </span>
    </>
  );
}

const THEMES = [
  { id: 'system', label: 'As the system', icon: SunMoon },
  { id: 'light', label: 'Light', icon: Sun },
  { id: 'dark', label: 'Dark', icon: Moon },
] as const;

function Account({ up }: { up?: boolean }) {
  const name = me.value?.name ?? '';
  return (
    <Popover
      class="avatar"
      title={`Signed in as ${name}`}
      align={up ? 'left' : 'right'}
      {...(up && { up })}
      label={<span class="av">{name.slice(0, 2) || '?'}</span>}
    >
      {(close) => (
        <>
          <p class="tip sm d3">
            {name}
            {me.value?.version ? `, Clew ${me.value.version}` : ''}
          </p>
          {THEMES.map((choice) => (
            <button
              type="button"
              class="item"
              key={choice.id}
              role="menuitemradio"
              aria-checked={theme.value === choice.id}
              onClick={() => {
                setTheme(choice.id);
                close();
              }}
            >
              <Icon icon={choice.icon} size={14} />
              {choice.label}
            </button>
          ))}
          <button
            type="button"
            class="item hl"
            onClick={() => {
              close();
              helpOpen.value = true;
            }}
          >
            Keys <span class="kbd end">?</span>
          </button>
          <a class="item" href="/licenses.txt" target="_blank" rel="noreferrer">
            Licenses
          </a>
          <button type="button" class="item" onClick={() => void signOut()}>
            Sign out
          </button>
        </>
      )}
    </Popover>
  );
}

async function signOut(): Promise<void> {
  await send('DELETE', '/api/v1/session', {}).catch(() => {});
  me.value = null;
}
