// Whether the server can read the project's code, and how it is told where that stands.
import { useLoad } from '../api/load.ts';
import { loadRepositoryFiles } from '../api/source.ts';
import { plural } from '../format/number.ts';
import { Paste } from '../parts/Paste.tsx';
import { Rows } from './common.tsx';

export function Repository({ slug }: { slug: string }) {
  const load = useLoad(`repository ${slug}`, `repository ${slug}`, (abort) => loadRepositoryFiles(slug, undefined, '', abort));
  return (
    <section class="set-proj" id="repository" aria-label="Repository">
      <h2 class="m">Repository</h2>
      <p class="sm d2">
        A git repository on the server's machine: source lines of frames that came without any, the commit that last wrote the line of an
        error, and the code that probes are placed in are read from it, at the release's commit.
      </p>
      <Rows of={load} rows={1}>
        {({ commit, entries, more }) =>
          commit ? (
            <p class="sm">
              It is read: HEAD is <code>{commit.slice(0, 12)}</code>, with {plural(entries.length, 'entry', 'entries')}
              {more && ' and more'} at the top.
            </p>
          ) : (
            <>
              <p class="sm d3">None is named yet. On the server, as the user that it runs as:</p>
              <Paste name="shell, on the server" text={`clew project repo add ${slug} /srv/git/${slug}.git`} />
            </>
          )
        }
      </Rows>
    </section>
  );
}
