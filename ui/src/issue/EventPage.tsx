// An event by its id alone: the page of its issue, with that event.
import { useEffect } from 'preact/hooks';
import { findEvent } from '../api/event.ts';
import { useLoad } from '../api/load.ts';
import { Failure } from '../parts/States.tsx';
import { usePage } from '../state/page.ts';
import { go, href, place } from '../state/route.ts';
import { kept } from '../state/scope.ts';

export function EventPage({ id }: { id: string }) {
  const short = id.slice(0, 8);
  usePage({ here: `Event ${short}`, tab: 'issues', ranged: true });
  const found = useLoad(id, id, (abort) => findEvent(id, abort));
  const event = found.data.value;
  useEffect(() => {
    if (event?.short)
      go(href(`/issues/${event.short}`, { ...kept.value, event: event.event_id }), { replace: true, trail: place.value.trail });
  }, [event]);
  const error = found.error.value;
  if (error && error.status !== 404) return <Failure error={error} retry={found.retry} />;
  if (!error && !(event && !event.short)) return null;
  return (
    <div class="say">
      <h1>{event ? 'This event has no issue yet' : 'No event with this id is stored'}</h1>
      <p>
        {event
          ? 'It has just arrived: its issue follows within a second.'
          : 'It may be older than the retention, dropped by a filter or a limit, or of a project that you may not read.'}
      </p>
      <button type="button" class="btn" onClick={found.retry}>
        Look again
      </button>
    </div>
  );
}
