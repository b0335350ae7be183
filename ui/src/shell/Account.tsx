// Who is signed in, and what is theirs: theme, keys, leaving.
import { Moon, Sun, SunMoon } from 'lucide';
import { me, send } from '../api/client.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { setTheme, theme } from '../state/theme.ts';
import { helpOpen } from './Help.tsx';

const THEMES = [
  { id: 'system', label: 'As the system', icon: SunMoon },
  { id: 'light', label: 'Light', icon: Sun },
  { id: 'dark', label: 'Dark', icon: Moon },
] as const;

export function AccountItems({ close }: { close: () => void }) {
  return (
    <>
      <p class="tip sm d3">
        {me.value?.name ?? ''}
        {me.value?.version ? `, Clew ${me.value.version}` : ''}
      </p>
      <div role="radiogroup" aria-label="Theme">
        {THEMES.map((choice) => (
          <button
            type="button"
            class="item"
            key={choice.id}
            role="radio"
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
      </div>
      <span onClick={close}>
        <Link class="item hl" href="/settings/you">
          Password and sessions
        </Link>
      </span>
      <button
        type="button"
        class="item"
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
  );
}

export async function signOut(): Promise<void> {
  await send('DELETE', '/api/v1/session', {}).catch(() => {});
  me.value = null;
}
