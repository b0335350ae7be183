// An event that no SDK has sent: what a probe captured in a process without one.
import type { IssueEvent, Probed } from '../api/event.ts';
import { Link } from '../parts/Link.tsx';
import { liveHref, snapshotHref } from '../snapshots/links.ts';

export function ByProbe({ event, probed }: { event: IssueEvent; probed: Probed }) {
  return (
    <p class="byprobe hl">
      <span class="dia" aria-hidden="true" />
      <span>
        <b>Captured by a probe:</b> its process has no SDK that reports errors.{' '}
        <Link class="link" follow href={snapshotHref(probed.snapshot)}>
          The snapshot
        </Link>
        {', '}
        <Link class="link" follow href={liveHref({ service: event.service, probe: probed.probe })}>
          probe {probed.probe}
        </Link>
      </span>
    </p>
  );
}
