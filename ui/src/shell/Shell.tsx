// The frame around every page.
import { Pause, Play, RotateCw } from 'lucide';
import type { ComponentChildren } from 'preact';
import { TABS } from '../pages.ts';
import { Asked, askedOpen } from '../parts/Asked.tsx';
import { Ball, Icon } from '../parts/Icon.tsx';
import { UndoBar } from '../parts/UndoBar.tsx';
import { useKeys } from '../state/keys.ts';
import { connected, live, range, refresh, shift } from '../state/live.ts';
import { page } from '../state/page.ts';
import { go, href, place } from '../state/route.ts';
import { kept } from '../state/scope.ts';
import { cycleTheme } from '../state/theme.ts';
import { Help, helpOpen } from './Help.tsx';
import { Jump, JumpButton, jumpOpen } from './Jump.tsx';
import { Rail } from './Rail.tsx';
import { RangePicker } from './RangePicker.tsx';
import { ScopePicker } from './ScopePicker.tsx';

export function Shell({ children }: { children: ComponentChildren }) {
  useKeys('Everywhere', [
    { keys: ['/'], does: 'query or find', run: () => document.querySelector<HTMLElement>('[data-slash]')?.focus() },
    { keys: ['Ctrl+k'], does: 'jump to anything', run: () => (jumpOpen.value = true) },
    { keys: ['?'], does: 'these keys', run: () => (helpOpen.value = !helpOpen.value) },
    ...TABS.map((tab) => ({
      keys: [`g ${tab.key}`],
      does: `go to ${tab.label.toLowerCase()}`,
      run: () => go(href(tab.to, kept.value)),
    })),
    { keys: ['['], does: 'earlier', run: () => shift(-1) },
    { keys: [']'], does: 'later', run: () => shift(1) },
    { keys: ['l'], does: 'live or pause', run: () => (live.value = !live.value) },
    { keys: ['r'], does: 'refresh', run: refresh },
    { keys: ['q'], does: 'what the page asks', run: () => (askedOpen.value = true) },
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
      </header>
      <main class="plane" id="main" tabIndex={-1}>
        {children}
      </main>
      <Help />
      <Asked />
      <Jump />
      <UndoBar />
    </div>
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
      <ScopePicker />
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
