// The part of the system that is shown: a project, an environment.
import { ChevronDown, Layers } from 'lucide';
import { useState } from 'preact/hooks';
import { getJson } from '../api/client.ts';
import { count } from '../format/number.ts';
import { Icon } from '../parts/Icon.tsx';
import { Popover } from '../parts/Popover.tsx';
import { valuesOf } from '../query/catalogue.ts';
import { range } from '../state/live.ts';
import { setParams } from '../state/route.ts';
import { scope } from '../state/scope.ts';

interface Choices {
  projects: string[];
  environments: { name: string; rows: number }[];
}

async function load(): Promise<Choices> {
  const { from, to } = range.value;
  const [projects, environments] = await Promise.all([
    getJson<{ projects: { slug: string }[] }>('/api/v1/projects'),
    valuesOf('*', 'environment', '', { from, to }),
  ]);
  return {
    projects: projects.projects.map((project) => project.slug),
    environments: environments.map((entry) => ({ name: String(entry.value), rows: entry.rows })),
  };
}

export function ScopePicker() {
  const { project, environment } = scope.value;
  return (
    <Popover
      class="ctl wide"
      title={project || environment ? 'Only this project and environment' : 'Everything that you may read'}
      label={
        <>
          <Icon icon={Layers} size={14} />
          <b>{project ?? 'All projects'}</b>
          {environment}
          <Icon icon={ChevronDown} size={12} />
        </>
      }
    >
      {(close) => <ScopeChoices close={close} />}
    </Popover>
  );
}

/** The choices alone, for the menu of narrow screens too. */
export function ScopeChoices({ close }: { close: () => void }) {
  const [choices, setChoices] = useState<Choices | undefined>();
  const [failed, setFailed] = useState(false);
  useState(() => load().then(setChoices, () => setFailed(true)));
  const { project, environment } = scope.value;
  const choose = (changes: Record<string, string | undefined>) => {
    setParams(changes);
    close();
  };
  const chosenLast = (names: string[], chosen: string | undefined) => (chosen && !names.includes(chosen) ? [...names, chosen] : names);
  const counts = new Map(choices?.environments.map((entry) => [entry.name, entry.rows]));
  return (
    <div class="scopes">
      <div role="radiogroup" aria-label="Project">
        <p class="tip sm d3">Project</p>
        <Choice label="All projects" on={!project} run={() => choose({ project: undefined })} />
        {chosenLast(choices?.projects ?? [], project).map((name) => (
          <Choice key={name} label={name} on={name === project} run={() => choose({ project: name })} />
        ))}
      </div>
      <div role="radiogroup" aria-label="Environment">
        <p class="tip sm d3 hl">Environment</p>
        <Choice label="All environments" on={!environment} run={() => choose({ env: undefined })} />
        {chosenLast([...counts.keys()], environment).map((name) => (
          <Choice key={name} label={name} rows={counts.get(name)} on={name === environment} run={() => choose({ env: name })} />
        ))}
      </div>
      {choices && choices.environments.length === 0 && !environment && (
        <p class="tip sm d3">
          No record of this range names one
          <br />
          (deployment.environment.name).
        </p>
      )}
      {failed && <p class="tip sm err">The lists could not be loaded.</p>}
    </div>
  );
}

function Choice({ label, on, rows, run }: { label: string; on: boolean; rows?: number | undefined; run: () => void }) {
  return (
    <button type="button" class="item" role="radio" aria-checked={on} onClick={run}>
      <span class="cut">{label}</span>
      {rows !== undefined && <span class="end sm d3">{count(rows)}</span>}
    </button>
  );
}
