// The way from a line of one's own code to a probe there, for who may place one.
import { Crosshair } from 'lucide';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { may } from '../state/session.ts';
import { liveHref, type Place } from './links.ts';
import { placeOf } from './tree.ts';

export function CaptureHere({ place, bare }: { place: Place | undefined; bare?: boolean }) {
  if (!place?.file || !place.line || !may('probe')) return null;
  const title = `Capture here: place a probe at ${placeOf({ file: place.file, line: place.line })}`;
  return bare ? (
    <Link class="btn g s i sfhere" follow href={liveHref(place)} title={title} aria-label={title}>
      <Icon icon={Crosshair} size={14} />
    </Link>
  ) : (
    <Link class="btn live s" follow href={liveHref(place)} title={title}>
      <Icon icon={Crosshair} size={14} />
      Capture here
    </Link>
  );
}
