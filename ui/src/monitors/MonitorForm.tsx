// A monitor by hand, or other limits for one that is there.
import { useState } from 'preact/hooks';
import { getJson, me } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { addMonitor, changeMonitor, type Monitor, type MonitorInput, type Schedule, UNITS, type Unit } from '../api/monitors.ts';
import { Refusal, useDeed, useFocus } from '../settings/common.tsx';
import { refresh } from '../state/live.ts';
import { cronWords } from './schedule.ts';

interface Props {
  was?: Monitor;
  done: (id: number) => void;
  close: () => void;
}

const slugOf = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 50);

export function MonitorForm({ was, done, close }: Props) {
  const projects = useLoad('projects', 'projects', (abort) => getJson<{ projects: { slug: string }[] }>('/api/v1/projects', {}, abort));
  const [name, setName] = useState(was?.name ?? '');
  const [slug, setSlug] = useState<string | undefined>(was?.slug);
  const [project, setProject] = useState(was?.project ?? 'default');
  const [type, setType] = useState<Schedule['type']>(was?.schedule?.type ?? 'crontab');
  const [cron, setCron] = useState(was?.schedule?.value ?? '*/10 * * * *');
  const [every, setEvery] = useState(was?.schedule?.every ?? 1);
  const [unit, setUnit] = useState<Unit>(was?.schedule?.unit ?? 'hour');
  const [zone, setZone] = useState(was?.schedule?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  const [margin, setMargin] = useState(Math.round((was?.margin_s ?? 60) / 60));
  const [runtime, setRuntime] = useState(Math.round((was?.max_runtime_s ?? 1800) / 60));
  const [failures, setFailures] = useState(was?.failure_threshold ?? 1);
  const [recoveries, setRecoveries] = useState(was?.recovery_threshold ?? 1);
  const first = useFocus();
  const deed = useDeed();
  const made = slug ?? slugOf(name);
  const words = cronWords(cron);
  const input: MonitorInput = {
    ...(!was && { project, slug: made }),
    name: name.trim() || made,
    schedule: type === 'crontab' ? { type, value: cron.trim(), timezone: zone.trim() || 'UTC' } : { type, every, unit },
    margin_s: margin * 60,
    max_runtime_s: runtime * 60,
    failure_threshold: failures,
    recovery_threshold: recoveries,
  };
  const save = () =>
    deed.run(async () => {
      const saved = was ? await changeMonitor(was.id, input) : await addMonitor(input);
      refresh();
      if (saved) done(saved.id);
    });
  const slugs = [...new Set(['default', ...(projects.data.value?.projects ?? []).map((one) => one.slug), project])];
  const whole = (label: string, value: number, set: (n: number) => void, behind: string, least = 1) => (
    <label class="field">
      <span class="sm d3">{label}</span>
      <span class="row">
        <input
          class="text num"
          type="number"
          min={least}
          required
          value={value}
          onInput={(event) => set(Math.max(least, Math.round(Number(event.currentTarget.value))))}
        />
        <span class="sm d2">{behind}</span>
      </span>
    </label>
  );
  return (
    <form
      class="mform"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <div class="row wrap">
        <label class="field">
          <span class="sm d3">Name</span>
          <input
            class="text"
            maxLength={255}
            value={name}
            ref={first}
            autocomplete="off"
            placeholder="Nightly report"
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        {!was && (
          <>
            <label class="field">
              <span class="sm d3">Slug, as the job says it</span>
              <input
                class="text mono"
                required
                maxLength={50}
                pattern="[a-z0-9_\-]+"
                value={made}
                autocomplete="off"
                spellcheck={false}
                onInput={(event) => setSlug(event.currentTarget.value || undefined)}
              />
            </label>
            <label class="field">
              <span class="sm d3">Project</span>
              <select class="text" value={project} onChange={(event) => setProject(event.currentTarget.value)}>
                {slugs.map((one) => (
                  <option key={one} value={one}>
                    {one}
                  </option>
                ))}
              </select>
            </label>
          </>
        )}
      </div>
      <div class="row wrap ends">
        <span class="seg" role="group" aria-label="Schedule">
          <button type="button" aria-pressed={type === 'crontab'} onClick={() => setType('crontab')}>
            Crontab
          </button>
          <button type="button" aria-pressed={type === 'interval'} onClick={() => setType('interval')}>
            Interval
          </button>
        </span>
        {type === 'crontab' ? (
          <>
            <label class="field">
              <span class="sm d3">Expression</span>
              <input
                class="text mono"
                required
                value={cron}
                autocomplete="off"
                spellcheck={false}
                onInput={(event) => setCron(event.currentTarget.value)}
              />
            </label>
            <label class="field">
              <span class="sm d3">Time zone</span>
              <input
                class="text"
                value={zone}
                list="zones"
                autocomplete="off"
                spellcheck={false}
                onInput={(event) => setZone(event.currentTarget.value)}
              />
              <datalist id="zones">
                {Intl.supportedValuesOf('timeZone').map((one) => (
                  <option key={one} value={one} />
                ))}
              </datalist>
            </label>
          </>
        ) : (
          <>
            {whole('Every', every, setEvery, '')}
            <label class="field">
              <span class="sm d3">Unit</span>
              <select class="text" value={unit} onChange={(event) => setUnit(event.currentTarget.value as Unit)}>
                {UNITS.map((one) => (
                  <option key={one} value={one}>
                    {every === 1 ? one : `${one}s`}
                  </option>
                ))}
              </select>
            </label>
          </>
        )}
      </div>
      <p class="sm d2" aria-live="polite">
        {type === 'interval'
          ? `Every ${every === 1 ? unit : `${every} ${unit}s`}, counted from the last check-in.`
          : words
            ? `${words.charAt(0).toUpperCase()}${words.slice(1)}, ${zone || 'UTC'}.`
            : 'Five fields: minute, hour, day of the month, month, day of the week.'}
      </p>
      <div class="row wrap">
        {whole('Missed after', margin, setMargin, 'minutes', 0)}
        {whole('Timed out after', runtime, setRuntime, 'minutes')}
        {whole('An issue after', failures, setFailures, failures === 1 ? 'failure' : 'failures in a row')}
        {whole('Over after', recoveries, setRecoveries, recoveries === 1 ? 'success' : 'successes in a row')}
      </div>
      <div class="row">
        <button type="submit" class="btn p" disabled={deed.busy || !made}>
          {was ? 'Save' : 'Add the monitor'}
        </button>
        <button type="button" class="btn g" onClick={close}>
          Cancel
        </button>
        {me.value && !was && <span class="sm d3">It becomes due with the first check-in of an environment.</span>}
      </div>
      <Refusal error={deed.error} />
    </form>
  );
}
