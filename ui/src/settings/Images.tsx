// Snapshots of a project's images (`sentry-cli snapshots upload`): which there are, what differs from the base, and the images.
import { useState } from 'preact/hooks';
import { getJson } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { bytes, count } from '../format/number.ts';
import { isAway, mayAdminister, Refusal, Rows, takeAway, useDeed, When } from './common.tsx';
import { inOrder, type Shot, type SnapshotDetail, type SnapshotEntry, said } from './images.ts';

/** Images of a snapshot that are shown at once. */
const PAGE = 60;

const at = (slug: string, id?: number) => `/api/v1/projects/${encodeURIComponent(slug)}/image-snapshots${id === undefined ? '' : `/${id}`}`;
const nameOf = (one: SnapshotEntry) => `${one.app}${one.commit ? ` ${one.commit.slice(0, 7)}` : ''}`;

/** Nothing where there are none, as with builds. */
export function Images({ slug }: { slug: string }) {
  const load = useLoad(`images ${slug}`, `images ${slug}`, (abort) =>
    getJson<{ total: number; snapshots: SnapshotEntry[] }>(at(slug), {}, abort),
  );
  const [open, setOpen] = useState<number | undefined>();
  const deed = useDeed();
  const all = load.data.value?.snapshots ?? [];
  const snapshots = all.filter((one) => !isAway(at(slug, one.id)));
  if (snapshots.length === 0) return null;
  const remove = (one: SnapshotEntry) => takeAway(at(slug, one.id), `The images of ${nameOf(one)} are taken away`, deed.run, load.retry);
  const total = load.data.value?.total ?? 0;
  return (
    <section class="set-proj" id="images" aria-label="Image snapshots">
      <h2 class="m">Image snapshots</h2>
      <p class="sm d2">
        Uploaded by sentry-cli, and kept for 90 days or until they are taken away.
        {total > all.length && ` The newest ${count(all.length)} of ${count(total)}.`}
      </p>
      <table class="tbl">
        <thead>
          <tr>
            <th>Application</th>
            <th class="wide">Of</th>
            <th>Images</th>
            <th class="wide">Uploaded</th>
            <th>
              <span class="only-read">Actions</span>
            </th>
          </tr>
        </thead>
        {snapshots.map((one) => (
          <tbody key={one.id}>
            <tr>
              <td class="path">
                <button
                  type="button"
                  class="link"
                  aria-expanded={open === one.id}
                  aria-label={`Images of ${nameOf(one)}`}
                  onClick={() => setOpen(open === one.id ? undefined : one.id)}
                >
                  {one.app}
                </button>
                <span class="sub d3 xs">
                  <Of one={one} />
                </span>
              </td>
              <td class="wide d2">
                <Of one={one} />
              </td>
              <td class="d2" title={bytes(one.size)}>
                {count(one.count)}
                {one.selective && ' of the suite'}
              </td>
              <td class="wide d2">
                <When at={one.created} />
              </td>
              <td>
                {mayAdminister() && (
                  <button type="button" class="btn g s" aria-label={`Take away the images of ${nameOf(one)}`} onClick={() => remove(one)}>
                    Take away
                  </button>
                )}
              </td>
            </tr>
            {open === one.id && (
              <tr class="editor">
                <td colSpan={5}>
                  <Detail slug={slug} one={one} />
                </td>
              </tr>
            )}
          </tbody>
        ))}
      </table>
      {deed.error && <Refusal error={deed.error} />}
    </section>
  );
}

function Of({ one }: { one: SnapshotEntry }) {
  return (
    <>
      {one.branch} {one.commit && <span class="mono">{one.commit.slice(0, 7)}</span>}
      {one.pull_request !== undefined && ` #${one.pull_request}`}
    </>
  );
}

function Detail({ slug, one }: { slug: string; one: SnapshotEntry }) {
  const load = useLoad(`images ${slug} ${one.id}`, `images ${slug} ${one.id}`, (abort) =>
    getJson<SnapshotDetail>(at(slug, one.id), {}, abort),
  );
  return (
    <Rows of={load} rows={3}>
      {(detail) => <Shots slug={slug} detail={detail} />}
    </Rows>
  );
}

function Shots({ slug, detail }: { slug: string; detail: SnapshotDetail }) {
  const [same, setSame] = useState(false);
  const [most, setMost] = useState(PAGE);
  const { different, alike } = inOrder(detail);
  const all = detail.base && !same ? different : [...different, ...alike];
  return (
    <div class="shots">
      <p class="sm d2">{said(detail)}</p>
      {all.length > 0 && (
        <ul>
          {all.slice(0, most).map((shot) => (
            <Picture key={`${shot.change} ${shot.name}`} slug={slug} shot={shot} />
          ))}
        </ul>
      )}
      {all.length > most ? (
        <button type="button" class="btn" onClick={() => setMost(most + PAGE)}>
          Show {count(Math.min(PAGE, all.length - most))} more of {count(all.length)}
        </button>
      ) : (
        detail.base &&
        !same &&
        alike.length > 0 && (
          <button type="button" class="btn" onClick={() => setSame(true)}>
            Show the {alike.length === 1 ? 'one that is' : `${count(alike.length)} that are`} the same
          </button>
        )
      )}
    </div>
  );
}

const PILLS = { added: 'pill k', changed: 'pill w', removed: 'pill e' };

function Picture({ slug, shot }: { slug: string; shot: Shot }) {
  const path = (hash: string) => `/api/v1/projects/${encodeURIComponent(slug)}/images/${hash}`;
  const sides: { hash: string; label: string; when?: string }[] = shot.base_hash
    ? [
        { hash: shot.base_hash, label: `${shot.name}, before`, when: 'before' },
        { hash: shot.hash, label: `${shot.name}, now`, when: 'now' },
      ]
    : [{ hash: shot.hash, label: shot.name }];
  return (
    <li class={shot.base_hash ? 'pair' : undefined}>
      <div class="sides">
        {sides.map(({ hash, label, when }) => (
          <a key={label} href={path(hash)} target="_blank" rel="noreferrer" title={label}>
            {shot.type ? <img src={path(hash)} alt={label} loading="lazy" decoding="async" /> : <span class="sm">Download {label}</span>}
            {when && <span class="xs d3">{when}</span>}
          </a>
        ))}
      </div>
      <p class="name">
        {shot.change && <span class={PILLS[shot.change]}>{shot.change}</span>} {shot.title ?? shot.name}
      </p>
      <p class="xs d3">
        {shot.title && `${shot.name} · `}
        {shot.width} × {shot.height} · {bytes(shot.size)}
      </p>
    </li>
  );
}
