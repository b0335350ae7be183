// What it is, whose it is, and what is done about it.
import { Check } from 'lucide';
import { me, serverNow } from '../api/client.ts';
import type { IssueEvent } from '../api/event.ts';
import type { Issue, IssueDetail } from '../api/issues.ts';
import { archive, change, isWaiting, reopen, resolve } from '../issues/deeds.ts';
import { Avatar, PriorityBars, StatePill } from '../issues/Marks.tsx';
import { ArchiveMenu, AssignMenu, Chevron, myself, PriorityMenu, ResolveMenu } from '../issues/Menus.tsx';
import { isOpen, PRIORITIES, partsOf, shortType, stateDetail } from '../issues/words.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { term } from '../query/write.ts';
import { href } from '../state/route.ts';
import { kept } from '../state/scope.ts';
import { hueOf } from '../state/services.ts';
import { pending } from '../state/undo.ts';

export interface Deeds {
  resolve: () => void;
  archive: () => void;
  take: () => void;
  priority: () => void;
}

export function useDeeds(issue: Issue): Deeds {
  const own = issue.assignee?.kind === 'user' && issue.assignee.name === me.value?.name;
  return {
    resolve: () => (issue.state === 'resolved' ? reopen([issue]) : resolve([issue])),
    archive: () => (issue.state === 'archived' ? reopen([issue]) : archive([issue])),
    take: () => void change([issue], { assignee: own ? null : myself() }),
    priority: () => {
      const next = PRIORITIES[(PRIORITIES.indexOf(issue.priority ?? 'low') + 1) % PRIORITIES.length] ?? 'high';
      void change([issue], { priority: next });
    },
  };
}

export function IssueTitle({ issue, event, deeds }: { issue: IssueDetail; event: IssueEvent | undefined; deeds: Deeds }) {
  const { type, value } = partsOf(issue);
  const service = issue.services?.[0] ?? event?.service;
  const waiting = isWaiting(issue.id) ? pending.value?.says : undefined;
  const detail = stateDetail(issue, serverNow());
  const about = [
    issue.handled ? 'handled' : '',
    event?.transaction && event.transaction !== issue.culprit ? event.transaction : '',
    issue.level && issue.level !== 'error' ? issue.level : '',
    detail,
  ].filter(Boolean);
  return (
    <header class="ih">
      <div class="grow">
        <div class="row t1">
          <StatePill state={issue.state} />
          <h1 class={value ? '' : 'cut'} title={issue.title} dir="auto">
            {value ? shortType(type) : type}
          </h1>
          {value && (
            <span class="cut d2 mono msg" title={issue.value ?? value} dir="auto">
              {value}
            </span>
          )}
        </div>
        <div class="row sm d2 t2">
          <span class="nw">{issue.short}</span>
          <PriorityBars priority={issue.priority} />
          {service && (
            <Link class="plain cut ofsvc" href={href('/issues', { ...kept.value, q: `issues ${term('service', service)}` })} follow>
              <span class={`svc cut h${hueOf(service)}`} title={service}>
                {service}
              </span>
            </Link>
          )}
          {issue.handled === false && (
            <span class="pill w" title="No code of the program caught it">
              unhandled
            </span>
          )}
          {issue.culprit && issue.culprit !== service && (
            <Link
              class="plain mono cut"
              title={issue.culprit}
              href={href('/issues', { ...kept.value, q: `issues ${term('culprit', issue.culprit)}` })}
              follow
            >
              {issue.culprit}
            </Link>
          )}
          <span class="cut opt" title={about.join(', ')}>
            {about.join(', ')}
          </span>
        </div>
      </div>
      <div class="row act">
        <AssignMenu
          issues={[issue]}
          class="ctl as"
          label={
            <>
              <Avatar of={issue.assignee} />
              <span class="cut asname">{issue.assignee?.name ?? 'Nobody'}</span>
              <Chevron />
            </>
          }
        />
        <PriorityMenu issues={[issue]} class="btn i prio" label={<PriorityBars priority={issue.priority} />} title="Priority (p)" />
        {waiting ? (
          <span class="d2 sm nw doing" role="status">
            <Icon icon={Check} size={14} />
            {waiting}
          </span>
        ) : isOpen(issue.state) ? (
          <>
            <span class="split">
              <button type="button" class="btn" title="Archive until it escalates (i)" onClick={deeds.archive}>
                Archive
              </button>
              <ArchiveMenu issues={[issue]} class="btn i" label={<Chevron />} title="Archive until (I)" />
            </span>
            <span class="split">
              <button type="button" class="btn p" title="Resolve (e)" onClick={deeds.resolve}>
                Resolve
              </button>
              <ResolveMenu issues={[issue]} class="btn p i" label={<Chevron />} title="Resolve in (E)" />
            </span>
          </>
        ) : (
          <button type="button" class="btn p" onClick={() => reopen([issue])}>
            Open again
          </button>
        )}
      </div>
    </header>
  );
}
