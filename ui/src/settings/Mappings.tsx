// Where in which repository the files of a project's frames stand: uploaded by builds, looked at and removed here.
import { getJson, send, sendLeaving } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { Paste } from '../parts/Paste.tsx';
import { later, pending } from '../state/undo.ts';
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

const subject = (one: Mapping) => `code mapping ${one.id}`;

export function Mappings({ slug }: { slug: string }) {
  const load = useLoad(`mappings ${slug}`, `mappings ${slug}`, (abort) => getJson<{ mappings: Mapping[] }>(at(slug), {}, abort));
  const deed = useDeed();
  const remove = (one: Mapping) =>
    later(subject(one), `The mapping of ${one.stack_root} is taken away`, async (leaving) => {
      const path = `${at(slug)}/${one.id}`;
      if (leaving) return sendLeaving(path);
      await deed.run(() => send('DELETE', path, {}));
      await load.retry();
    });
  return (
    <section class="set-proj" id="mappings" aria-label="Code mappings">
      <h2 class="m">Code mappings</h2>
      <p class="sm d2">
        A frame whose file begins with the stack root has the rest of it below the source root: CODEOWNERS, suspect commits and source lines
        are looked for there. The longest stack root counts.
      </p>
      <Rows of={load} rows={2}>
        {({ mappings }) => {
          const shown = mappings.filter((one) => pending.value?.subject !== subject(one));
          return shown.length > 0 ? (
            <MappingRows mappings={shown} remove={remove} />
          ) : (
            <>
              <p class="sm d3">None yet: paths are compared from their ends. A build uploads them with a token of the scope ingest:</p>
              <Paste name="shell" text={`sentry-cli code-mappings upload --org clew --project ${slug} mappings.json`} />
            </>
          );
        }}
      </Rows>
      <Refusal error={deed.error} />
    </section>
  );
}

function MappingRows({ mappings, remove }: { mappings: Mapping[]; remove: (one: Mapping) => void }) {
  return (
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
            <td class="mono path">
              {one.source_root || '.'}
              <span class="sub sm d3">{one.repository}</span>
            </td>
            <td class="wide">
              {one.repository} <span class="d3">{one.branch}</span>
            </td>
            <td class="wide d2">
              <When at={one.changed} /> by {actor(one.changed_by)}
            </td>
            <td>
              {mayAdminister() && (
                <button type="button" class="btn g s" aria-label={`Take away the mapping of ${one.stack_root}`} onClick={() => remove(one)}>
                  Take away
                </button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
