// Where in which repository the files of a project's frames stand: uploaded by builds, looked at and removed here.
import { getJson, send } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { actor, mayAdminister, Refusal, Rows, useDeed, When } from './common.tsx';

interface Mapping {
  id: number;
  stack_root: string;
  source_root: string;
  repository: string;
  branch: string;
  changed?: string;
  changed_by?: string;
}

const at = (slug: string) => `/api/v1/projects/${encodeURIComponent(slug)}/code-mappings`;

export function Mappings({ slug }: { slug: string }) {
  const load = useLoad(`mappings ${slug}`, `mappings ${slug}`, (abort) => getJson<{ mappings: Mapping[] }>(at(slug), {}, abort));
  return (
    <section class="set-proj" aria-label="Code mappings">
      <h2 class="m">Code mappings</h2>
      <p class="sm d2">
        A frame whose file begins with the stack root has the rest of it below the source root: CODEOWNERS, suspect commits and source lines
        are looked for there. The longest stack root counts.
      </p>
      <Rows of={load} rows={2}>
        {({ mappings }) =>
          mappings.length > 0 ? (
            <MappingRows slug={slug} mappings={mappings} retry={load.retry} />
          ) : (
            <>
              <p class="sm d3">None yet: paths are compared from their ends. A build uploads them with a token of the scope ingest:</p>
              <p>
                <code>sentry-cli code-mappings upload --org clew --project {slug} mappings.json</code>
              </p>
            </>
          )
        }
      </Rows>
    </section>
  );
}

function MappingRows({ slug, mappings, retry }: { slug: string; mappings: Mapping[]; retry: () => void }) {
  const deed = useDeed();
  return (
    <>
      <table class="tbl">
        <thead>
          <tr>
            <th>Stack root</th>
            <th>Source root</th>
            <th class="wide">Repository</th>
            <th class="wide">Changed</th>
            <th>
              <span class="only-read">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {mappings.map((one) => (
            <tr key={one.id}>
              <td class="mono path">{one.stack_root}</td>
              <td class="mono path">{one.source_root || '.'}</td>
              <td class="wide">
                {one.repository} <span class="d3">{one.branch}</span>
              </td>
              <td class="wide d2">
                <When at={one.changed} /> by {actor(one.changed_by)}
              </td>
              <td>
                {mayAdminister() && (
                  <button
                    type="button"
                    class="btn"
                    aria-label={`Take away the mapping of ${one.stack_root}`}
                    disabled={deed.busy}
                    onClick={async () => {
                      if (await deed.run(() => send('DELETE', `${at(slug)}/${one.id}`, {}))) retry();
                    }}
                  >
                    Take away
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {deed.error && <Refusal error={deed.error} />}
    </>
  );
}
