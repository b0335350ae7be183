// One project: the lines that make an SDK send to it, and the rules by which its events become issues or are left out.
import { getJson } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { Link } from '../parts/Link.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { Failure } from '../parts/States.tsx';
import { SentryPaste } from '../setup/SentryPaste.tsx';
import { Builds } from './Builds.tsx';
import { Head, When } from './common.tsx';
import { Filters } from './Filters.tsx';
import { Grouping } from './Grouping.tsx';
import { Mappings } from './Mappings.tsx';
import { Owners } from './Owners.tsx';
import { Scrubbing } from './Scrubbing.tsx';
import type { Project as ProjectEntry } from './types.ts';

export function Project({ slug }: { slug: string }) {
  const list = useLoad('projects', 'projects', (abort) => getJson<{ projects: ProjectEntry[] }>('/api/v1/projects', {}, abort));
  const project = list.data.value?.projects.find((one) => one.slug === slug);
  if (list.error.value && !list.data.value) return <Failure error={list.error.value} retry={list.retry} />;
  if (list.data.value && !project) {
    return (
      <div class="say">
        <h1>There is no project {slug}</h1>
        <Link class="btn" href="/settings/projects">
          All projects
        </Link>
      </div>
    );
  }
  return (
    <>
      <Head
        title={slug}
        says={
          project && (
            <>
              Made <When at={project.created} />: how SDKs send to it, and what becomes of their events.
            </>
          )
        }
      >
        <Link class="btn" href="/settings/projects">
          Keys and name
        </Link>
      </Head>
      <section class="set-proj" aria-label="Connect an SDK">
        <h2 class="m">Connect an SDK</h2>
        {project?.dsn ? (
          <>
            <p class="row dsn">
              <span class="sm d3">DSN</span>
              <code class="cut">{project.dsn}</code>
              <CopyButton text={project.dsn} label="Copy" />
            </p>
            <SentryPaste dsn={project.dsn} />
          </>
        ) : (
          project && <p class="why">every key was revoked: make one in the list of projects</p>
        )}
      </section>
      {project && (
        <>
          <Grouping slug={slug} />
          <Owners slug={slug} />
          <Mappings slug={slug} />
          <Builds slug={slug} />
          <Filters slug={slug} />
          <Scrubbing slug={slug} />
        </>
      )}
    </>
  );
}
