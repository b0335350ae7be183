// Says that the text beneath is not what a host has told.
import type { ApiError } from '../api/client.ts';
import { setParams } from '../state/route.ts';
import { placeWords, runsWords, type Shown } from './repository.ts';
import type { Same } from './same.ts';

interface Props {
  place: NonNullable<Shown['repository']>;
  same: Same;
  /** Why the host does not show it. */
  error: ApiError | undefined;
  retry: () => void;
}

export function FromRepository({ place, same, error, retry }: Props) {
  const chosen = !error;
  return (
    <p class="note sm" role="status">
      <b title={`${place.path} at ${place.commit}`}>
        From the repository at {place.commit.slice(0, 7)} · {runsWords(same)}.
      </b>{' '}
      That is {placeWords(place)}. A probe that is placed here is compared with what each process runs: one with another text of the line
      says <i>other source</i>.{' '}
      {error && (
        <>
          The host does not show it: {error.message}.{' '}
          <button type="button" class="link" onClick={retry}>
            Ask it again
          </button>
        </>
      )}
      {chosen && (
        <button type="button" class="link" onClick={() => setParams({ source: undefined, edit: undefined })}>
          Read it from the host
        </button>
      )}
    </p>
  );
}
