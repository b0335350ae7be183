// Builds of a project's applications (`sentry-cli build upload`): what was uploaded, and its file.
import { getJson } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { bytes } from '../format/number.ts';
import { isAway, mayAdminister, Refusal, takeAway, useDeed, When } from './common.tsx';

interface Build {
  id: number;
  name: string;
  size: number;
  created: string;
  commit?: string;
  branch?: string;
  pull_request?: number;
  configuration?: string;
  notes?: string;
  url: string;
}

const at = (slug: string, id?: number) => `/api/v1/projects/${encodeURIComponent(slug)}/builds${id === undefined ? '' : `/${id}`}`;

/** Nothing where there are none: most projects are no mobile applications. */
export function Builds({ slug }: { slug: string }) {
  const load = useLoad(`builds ${slug}`, `builds ${slug}`, (abort) => getJson<{ builds: Build[] }>(at(slug), {}, abort));
  const deed = useDeed();
  const builds = (load.data.value?.builds ?? []).filter((one) => !isAway(at(slug, one.id)));
  if (builds.length === 0) return null;
  const remove = (one: Build) => takeAway(at(slug, one.id), `${one.name} is taken away`, deed.run, load.retry);
  return (
    <section class="set-proj" id="builds" aria-label="Builds">
      <h2 class="m">Builds</h2>
      <p class="sm d2">Uploaded by sentry-cli and kept until they are taken away.</p>
      <table class="tbl">
        <thead>
          <tr>
            <th>File</th>
            <th class="wide">Of</th>
            <th>Size</th>
            <th class="wide">Uploaded</th>
            <th>
              <span class="only-read">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {builds.map((one) => (
            <tr key={one.id}>
              <td class="path" title={one.notes}>
                <a href={new URL(one.url).pathname} download>
                  {one.name}
                </a>
              </td>
              <td class="wide d2">
                {one.configuration} {one.branch} {one.commit && <span class="mono">{one.commit.slice(0, 7)}</span>}
                {one.pull_request !== undefined && ` #${one.pull_request}`}
              </td>
              <td class="d2">{bytes(one.size)}</td>
              <td class="wide d2">
                <When at={one.created} />
              </td>
              <td>
                {mayAdminister() && (
                  <button type="button" class="btn g s" aria-label={`Take away the build ${one.name}`} onClick={() => remove(one)}>
                    Take away
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {deed.error && <Refusal error={deed.error} />}
    </section>
  );
}
