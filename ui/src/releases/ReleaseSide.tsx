// What a release is made of: where it went, the commits that it brought, what was uploaded for it.
import { FileArchive, GitCommitHorizontal, Rocket } from 'lucide';
import { useState } from 'preact/hooks';
import { serverNow } from '../api/client.ts';
import type { Commit, ReleaseDetail, Upload } from '../api/releases.ts';
import { bytes, count, plural } from '../format/number.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { firstLine, initials } from '../issues/words.ts';
import { Icon } from '../parts/Icon.tsx';
import { When } from '../settings/common.tsx';
import { filesWords, KIND_WORDS, uploadWords } from './words.ts';

const FEW = 6;

/** The first of a list, and the rest when it is wanted. */
function useSome<T>(list: readonly T[]): { shown: readonly T[]; more: preact.JSX.Element | false } {
  const [all, setAll] = useState(false);
  const more = !all && list.length > FEW && (
    <p class="hint sm">
      <button type="button" class="link" onClick={() => setAll(true)}>
        {count(list.length - FEW)} more
      </button>
    </p>
  );
  return { shown: all ? list : list.slice(0, FEW), more };
}

export function Deploys({ release }: { release: ReleaseDetail }) {
  const { shown, more } = useSome(release.deploys);
  return (
    <section aria-label="Deploys">
      <div class="sec">
        <h2>Deploys</h2>
        <span class="grow">{count(release.deploys.length)}</span>
      </div>
      {shown.map((deploy, index) => (
        <p class="rdep" key={index}>
          <Icon icon={Rocket} size={14} />
          <span class="grow cut">
            <b class="m">{deploy.environment}</b> <span class="d3">{deploy.name}</span>
          </span>
          {deploy.url && /^https?:\/\//.test(deploy.url) && (
            <a
              class="sm"
              href={deploy.url}
              rel="noreferrer noopener"
              target="_blank"
              aria-label={`Page of the deploy to ${deploy.environment}`}
            >
              Page
            </a>
          )}
          <span class="sm d3 nw">
            <When at={deploy.time} />
          </span>
        </p>
      ))}
      {more}
      {release.deploys.length === 0 && (
        <p class="hint sm">
          <span class="why">nobody has said where it runs: </span>
          <code>sentry-cli deploys new</code>
        </p>
      )}
    </section>
  );
}

export function Commits({ release }: { release: ReleaseDetail }) {
  const { shown, more } = useSome(release.commit_list);
  const { authors } = release;
  return (
    <section class="hl" aria-label="Commits">
      <div class="sec">
        <h2>Commits</h2>
        <span class="grow cut" title={authors.join(', ')}>
          {count(release.commits)}
          {authors.length > 0 && ` by ${authors.join(', ')}`}
        </span>
      </div>
      {shown.map((commit) => (
        <CommitRow commit={commit} key={`${commit.repository} ${commit.id}`} />
      ))}
      {more}
      {release.commits > release.commit_list.length && <p class="hint sm d3">The newest {count(release.commit_list.length)} are here.</p>}
      {release.commits === 0 && (
        <p class="hint sm">
          <span class="why">none are known, so no issue can name one: </span>
          <code>sentry-cli releases set-commits --auto</code>
        </p>
      )}
    </section>
  );
}

function CommitRow({ commit }: { commit: Commit }) {
  const at = commit.time ? parseInstant(commit.time).ms : undefined;
  const who = commit.author ?? commit.email;
  return (
    <details class="rcommit">
      <summary>
        <Icon icon={GitCommitHorizontal} size={14} />
        <span class="grow cut" title={commit.message}>
          {firstLine(commit.message ?? '').trim() || commit.id.slice(0, 12)}
        </span>
        {who && (
          <span class="av sm1" title={who} role="img" aria-label={who}>
            {initials(who)}
          </span>
        )}
        <span class="sm d3 nw" title={at === undefined ? undefined : absolute(at)}>
          {at === undefined ? '' : ago(at, serverNow())}
        </span>
      </summary>
      <div class="rcfiles sm">
        <p class="d2">
          <code>{commit.id.slice(0, 12)}</code> {who} in <span class="mono">{commit.repository}</span>
        </p>
        {commit.files.map(({ path, change }) => (
          <p class="mono cut" key={path} title={path}>
            <span class={`chg ${change}`} role="img" aria-label={{ A: 'added', M: 'changed', D: 'deleted' }[change]}>
              {change}
            </span>{' '}
            {path}
          </p>
        ))}
        {commit.files.length === 0 && <p class="d3">which files it changed was not said</p>}
      </div>
    </details>
  );
}

export function Uploads({ release }: { release: ReleaseDetail }) {
  const { list, total, size } = release.uploads;
  const { shown, more } = useSome(list);
  return (
    <section class="hl" aria-label="Uploads">
      <div class="sec">
        <h2>Uploads</h2>
        <span class="grow cut">{total > 0 && `${total > list.length ? count(total) : uploadWords(list)}, ${bytes(size)}`}</span>
      </div>
      {shown.map((one, index) => (
        <UploadRow upload={one} key={index} />
      ))}
      {more}
      {total === 0 && (
        <p class="hint sm">
          <span class="why">no source maps for this release. Those with debug ids need none: </span>
          <code>sentry-cli sourcemaps upload</code>
        </p>
      )}
    </section>
  );
}

function UploadRow({ upload }: { upload: Upload }) {
  return (
    <details class="rcommit">
      <summary>
        <Icon icon={FileArchive} size={14} />
        <span class="grow cut" title={upload.name}>
          {upload.name || KIND_WORDS[upload.kind]} <span class="d3">{filesWords(upload)}</span>
        </span>
        <span class="sm nw">{bytes(upload.size)}</span>
        <span class="sm d3 nw">
          <When at={upload.created} />
        </span>
      </summary>
      <div class="rcfiles sm">
        {upload.dist && <p>dist {upload.dist}</p>}
        {upload.debug_ids.map((id) => (
          <p class="mono cut" key={id} title={`debug id ${id}`}>
            {id}
          </p>
        ))}
        {upload.debug_ids.length === 0 && <p class="d3">no debug ids: its files are found by name and release</p>}
        {upload.sha1 && (
          <p class="d3 mono cut" title="SHA-1, as sentry-cli names it">
            {upload.sha1}
          </p>
        )}
        {upload.debug_ids.length >= 20 && <p class="d3">The first {plural(upload.debug_ids.length, 'debug id')}.</p>}
      </div>
    </details>
  );
}
