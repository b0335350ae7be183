// The pages, at the left; where the screen is narrow, five of them at its foot and the rest under "More".
import { Ellipsis, Search } from 'lucide';
import { useEffect } from 'preact/hooks';
import { me } from '../api/client.ts';
import { followReview, review } from '../issues/review.ts';
import { TABS, type Tab } from '../pages.ts';
import { Ball, Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { Popover } from '../parts/Popover.tsx';
import { page } from '../state/page.ts';
import { href } from '../state/route.ts';
import { kept } from '../state/scope.ts';
import { AccountItems } from './Account.tsx';
import { jumpOpen } from './Jump.tsx';
import { ScopeChoices } from './ScopePicker.tsx';

const BAR = 5;

export function Rail() {
  const high = TABS.filter((tab) => !tab.low);
  const low = TABS.filter((tab) => tab.low);
  const name = me.value?.name ?? '';
  useEffect(followReview, []);
  return (
    <nav class="rail" aria-label="Main">
      <Link class="ball" href={href('/', kept.value)} aria-label="Clew, to the start">
        <Ball />
      </Link>
      {high.map((tab, index) => (
        <TabLink tab={tab} key={tab.id} more={index >= BAR} />
      ))}
      <span class="sp" />
      {low.map((tab) => (
        <TabLink tab={tab} key={tab.id} more />
      ))}
      <span class="wide">
        <Popover class="avatar" title={`Signed in as ${name}`} align="left" up label={<span class="av">{name.slice(0, 2) || '?'}</span>}>
          {(close) => <AccountItems close={close} />}
        </Popover>
      </span>
      <span class="narrow">
        <More tabs={[...high.slice(BAR), ...low]} />
      </span>
    </nav>
  );
}

function TabLink({ tab, more }: { tab: Tab; more: boolean }) {
  return (
    <Link class={`tab ${more ? 'wide' : ''}`} href={href(tab.to, kept.value)} aria-current={page.value.tab === tab.id ? 'page' : undefined}>
      <Icon icon={tab.icon} size={18} />
      {tab.label}
      {tab.id === 'issues' && review.value > 0 && (
        <span class="n" role="img" aria-label={`${review.value} for review`}>
          {review.value > 99 ? '99+' : review.value}
        </span>
      )}
    </Link>
  );
}

function More({ tabs }: { tabs: Tab[] }) {
  const here = tabs.some((tab) => tab.id === page.value.tab);
  return (
    <Popover
      class={`tab ${here ? 'here' : ''}`}
      up
      label={
        <>
          <Icon icon={Ellipsis} size={18} />
          More
        </>
      }
    >
      {(close) => (
        <div class="scroll sheet">
          {tabs.map((tab) => (
            <span onClick={close} key={tab.id}>
              <Link class="item" href={href(tab.to, kept.value)} aria-current={page.value.tab === tab.id ? 'page' : undefined}>
                <Icon icon={tab.icon} size={16} />
                {tab.label}
              </Link>
            </span>
          ))}
          <button
            type="button"
            class="item"
            onClick={() => {
              close();
              jumpOpen.value = true;
            }}
          >
            <Icon icon={Search} size={16} />
            Jump to anything
          </button>
          {page.value.ranged && (
            <div class="hl">
              <ScopeChoices close={close} />
            </div>
          )}
          <div class="hl">
            <AccountItems close={close} />
          </div>
        </div>
      )}
    </Popover>
  );
}
