// The list of metrics: what each is, and its trend.
import { Search } from 'lucide';
import type { Value } from '../api/types.ts';
import { Spark } from '../charts/Spark.tsx';
import { plural } from '../format/number.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { param, setParams } from '../state/route.ts';
import { kindOf, type Metric, metricQuery } from './metric.ts';

interface Props {
  metrics: readonly Metric[];
  sparks: Map<string, (number | null)[]> | undefined;
  name: Value | undefined;
  stale: boolean;
}

export function Names({ metrics, sparks, name, stale }: Props) {
  const find = param('find') ?? '';
  const wanted = find.trim().toLowerCase();
  const shown = metrics.filter((one) => one.name.toLowerCase().includes(wanted));
  const kept = new URLSearchParams(location.search);
  for (const key of ['q', 'by', 'agg']) kept.delete(key);
  const addressOf = (metric: Metric) => {
    const params = new URLSearchParams(kept);
    params.set('q', metricQuery(metric.name));
    return `/explore/metrics?${params}`;
  };
  return (
    <>
      <label class="find">
        <Icon icon={Search} size={14} />
        <input
          data-slash
          aria-label="Find a metric"
          placeholder="Find a metric"
          value={find}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setParams({ find: event.currentTarget.value || undefined }, { replace: true })}
        />
        <kbd class="kbd wide">/</kbd>
      </label>
      <ul class={`namelist scroll ${stale ? 'stale' : ''}`} tabIndex={-1}>
        {shown.map((metric) => (
          <li key={`${metric.name} ${metric.type} ${metric.unit ?? ''}`}>
            <Link href={addressOf(metric)} aria-current={metric.name === name ? 'page' : undefined}>
              <span class="what">
                <span class="cut m">{metric.name}</span>
                <span class="cut sm d3">
                  {[kindOf(metric), metric.unit?.replace(/^\{(.*)\}$/, '$1'), plural(metric.instances, 'instance')]
                    .filter(Boolean)
                    .join(' · ')}
                </span>
              </span>
              <Spark values={sparks?.get(metric.name) ?? []} width={72} />
            </Link>
          </li>
        ))}
        {shown.length === 0 && <li class="none d3">No name has “{find}” in it.</li>}
      </ul>
    </>
  );
}
