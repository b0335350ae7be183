// Projects and their public keys.
import { FolderPlus } from 'lucide';
import { useState } from 'preact/hooks';
import { getJson, send } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { plural } from '../format/number.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { Head, isAway, Refusal, Rows, takeAway, useDeed, useFocus, When } from './common.tsx';
import type { Key, Project } from './types.ts';

const at = (slug: string) => `/api/v1/projects/${encodeURIComponent(slug)}`;

export function Projects() {
  const list = useLoad('projects', 'projects', (abort) => getJson<{ projects: Project[] }>('/api/v1/projects', {}, abort));
  const [making, setMaking] = useState(false);
  const [open, setOpen] = useState<number | undefined>();
  const projects = list.data.value?.projects ?? [];
  return (
    <>
      <Head
        title="Projects"
        says={
          list.data.value &&
          `${plural(projects.length, 'project')}. Senders without a key of their own project go to default; a trace may span several.`
        }
      >
        <button type="button" class="btn p" aria-expanded={making} onClick={() => setMaking(!making)}>
          <Icon icon={FolderPlus} size={14} />
          New project
        </button>
      </Head>
      {making && (
        <Slug
          verb="Make the project"
          close={() => setMaking(false)}
          save={async (slug) => {
            await send('POST', '/api/v1/projects', { slug });
            setMaking(false);
            list.retry();
          }}
        />
      )}
      <Rows of={list} rows={3}>
        {() => (
          <>
            <table class="tbl">
              <thead>
                <tr>
                  <th>Project</th>
                  <th class="wide">DSN</th>
                  <th class="wide">Made</th>
                  <th>
                    <span class="only-read">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {projects.map((project) => (
                  <Row
                    key={project.id}
                    project={project}
                    open={open === project.id}
                    toggle={() => setOpen(open === project.id ? undefined : project.id)}
                    retry={list.retry}
                  />
                ))}
              </tbody>
            </table>
            <p class="set-note sm d3">
              A DSN is public: it stands in web pages and opens nothing but Sentry's protocol for this project. For OpenTelemetry a token
              with the scope ingest chooses the project.
            </p>
          </>
        )}
      </Rows>
    </>
  );
}

function Row({ project, open, toggle, retry }: { project: Project; open: boolean; toggle: () => void; retry: () => void }) {
  return (
    <>
      <tr>
        <td class="cut m">
          <Link href={`/settings/projects/${encodeURIComponent(project.slug)}`} class="plain" follow>
            {project.slug}
          </Link>
        </td>
        <td class="wide cut">
          {project.dsn ? (
            <span class="row">
              <code class="cut">{project.dsn}</code>
              <CopyButton text={project.dsn} label="Copy" />
            </span>
          ) : (
            <span class="why">every key was revoked: make one</span>
          )}
        </td>
        <td class="wide">
          <When at={project.created} />
        </td>
        <td class="r">
          <button type="button" class="btn g s" aria-expanded={open} onClick={toggle}>
            {open ? 'Close' : 'Keys and name'}
          </button>
          <Link
            class="btn g s"
            href={`/settings/projects/${encodeURIComponent(project.slug)}`}
            aria-label={`Set up ${project.slug}: SDKs, grouping`}
            follow
          >
            <span>Set up</span>
          </Link>
        </td>
      </tr>
      {open && (
        <tr class="editor">
          <td colSpan={4}>
            <Detail project={project} retry={retry} />
          </td>
        </tr>
      )}
    </>
  );
}

function Detail({ project, retry }: { project: Project; retry: () => void }) {
  const keys = useLoad(project.slug, project.slug, (abort) => getJson<{ keys: Key[] }>(`${at(project.slug)}/keys`, {}, abort));
  const [renaming, setRenaming] = useState(false);
  const deed = useDeed();
  const again = () => {
    keys.retry();
    retry();
  };
  const keyAt = (key: Key) => `${at(project.slug)}/keys/${key.id}`;
  const shown = (keys.data.value?.keys ?? []).filter((key) => !isAway(keyAt(key)));
  const revoke = (key: Key) => takeAway(keyAt(key), `The key ending ${key.key.slice(-4)} is revoked`, deed.run, again);
  return (
    <div class="set-detail">
      <h2 class="m">Public keys</h2>
      <Rows of={keys} rows={1}>
        {() => (
          <ul class="keys">
            {shown.map((key, index) => (
              <li key={key.id} class="row">
                <code class="cut grow">{key.key}</code>
                <span class="sm d3 nw">
                  {index === 0 ? 'in the DSN, ' : ''}
                  <When at={key.created} />
                </span>
                <button type="button" class="btn g s" aria-label={`Revoke the key ending ${key.key.slice(-4)}`} onClick={() => revoke(key)}>
                  Revoke
                </button>
              </li>
            ))}
            {shown.length === 0 && <li class="why">no key is good</li>}
          </ul>
        )}
      </Rows>
      <div class="row wrap">
        <button
          type="button"
          class="btn"
          disabled={deed.busy}
          onClick={() => void deed.run(() => send('POST', `${at(project.slug)}/keys`, {})).then((ok) => ok && again())}
        >
          New key
        </button>
        {project.slug !== 'default' && (
          <button type="button" class="btn" aria-expanded={renaming} onClick={() => setRenaming(!renaming)}>
            Rename
          </button>
        )}
        <span class="sm d3">To rotate: make a new key, put its DSN everywhere, then revoke the old one.</span>
      </div>
      <Refusal error={deed.error} />
      {renaming && (
        <Slug
          verb="Rename"
          was={project.slug}
          close={() => setRenaming(false)}
          save={async (slug) => {
            await send('PATCH', at(project.slug), { slug });
            retry();
          }}
        />
      )}
    </div>
  );
}

function Slug({ verb, was = '', save, close }: { verb: string; was?: string; save: (slug: string) => Promise<void>; close: () => void }) {
  const first = useFocus();
  const [slug, setSlug] = useState(was);
  const deed = useDeed();
  return (
    <form
      class="set-form hl"
      onSubmit={(event) => {
        event.preventDefault();
        void deed.run(() => save(slug.trim()));
      }}
    >
      <div class="row wrap">
        <label class="field">
          <span class="sm d3">Name</span>
          <input
            class="text"
            required
            maxLength={63}
            autocomplete="off"
            spellcheck={false}
            value={slug}
            ref={first}
            onInput={(event) => setSlug(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="btn" disabled={deed.busy || !slug.trim() || slug.trim() === was}>
          {verb}
        </button>
        <button type="button" class="btn g" onClick={close}>
          Cancel
        </button>
        {was && <span class="sm d3">Its records keep belonging to it; queries with project={was} need the new name.</span>}
      </div>
      <Refusal error={deed.error} />
    </form>
  );
}
