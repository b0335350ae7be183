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
import { Images } from './Images.tsx';
import { Mappings } from './Mappings.tsx';
import { Owners } from './Owners.tsx';
import { Repository } from './Repository.tsx';
import { Scrubbing } from './Scrubbing.tsx';
import type { Project as ProjectEntry } from './types.ts';

const PARTS: [string, string][] = [
  ['connect', 'SDKs'],
  ['grouping', 'Grouping'],
  ['owners', 'Owners'],
  ['mappings', 'Code mappings'],
  ['repository', 'Repository'],
  ['filters', 'Filters'],
  ['scrubbing', 'Scrubbing'],
];

/** The page is long: what it has, and the way there. */
function Parts() {
  return (
    <nav class="set-parts scroll" aria-label="On this page">
      {PARTS.map(([id, label]) => (
        <button type="button" class="link" key={id} onClick={() => reach(id)}>
          {label}
        </button>
      ))}
    </nav>
  );
}

/** The keyboard goes on from where the eye is led to. */
function reach(id: string): void {
  const part = document.getElementById(id);
  const parts = document.querySelector<HTMLElement>('.set-parts');
  if (!part || !parts) return;
  // The pane alone: scrollIntoView would move the frame around it, too.
  part.closest('.scroll')?.scrollTo({ top: part.offsetTop - parts.offsetHeight });
  part.querySelector<HTMLElement>('button, input, textarea, a')?.focus({ preventScroll: true });
}

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
      {project && <Parts />}
      <section class="set-proj" id="connect" aria-label="Connect an SDK">
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
          <Repository slug={slug} />
          <Builds slug={slug} />
          <Images slug={slug} />
          <Filters slug={slug} />
          <Scrubbing slug={slug} />
        </>
      )}
    </>
  );
}
