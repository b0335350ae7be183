// What fired: the open ones first, then the newest; why nobody was told; where it leads.
import { useState } from 'preact/hooks';
import { type Firing, loadFirings, type Rule } from '../api/alerts.ts';
import { serverNow } from '../api/client.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { Link } from '../parts/Link.tsx';
import { useDeed } from '../settings/common.tsx';
import { recordsHref } from './links.ts';
import { FiringPill } from './Marks.tsx';
import { kindWord, openFirst, valueText, WHY_SUPPRESSED } from './words.ts';

interface Props {
  firings: readonly Firing[];
  next: number | undefined;
  rules: readonly Rule[];
  /** Of one rule: its name is not said again. */
  rule?: Rule;
}

export function Firings({ firings, next, rules, rule }: Props) {
  const [older, setOlder] = useState<{ firings: Firing[]; next?: number } | undefined>();
  const deed = useDeed();
  const before = older ? older.next : next;
  const shown = openFirst([...firings, ...(older?.firings ?? []).filter((one) => !firings.some((first) => first.id === one.id))]);
  const more = () =>
    deed.run(async () => {
      const page = await loadFirings({ limit: 200, ...(before !== undefined && { before }), ...(rule && { rule: rule.id }) });
      setOlder({ firings: [...(older?.firings ?? []), ...page.firings], ...(page.next !== undefined && { next: page.next }) });
    });
  if (shown.length === 0)
    return (
      <div class="say">
        <h2>Nothing has fired</h2>
        <p>
          {rule
            ? 'Here stands each time that this rule fires, also when nobody is told.'
            : 'Here stands each time that a rule fires, also when nobody is told.'}
        </p>
      </div>
    );
  return (
    <>
      <ul class="alist" aria-label="Firings">
        {shown.map((firing) => (
          <Row key={firing.id} firing={firing} of={rules.find((one) => one.id === firing.rule)} named={!rule} />
        ))}
      </ul>
      {before !== undefined && (
        <div class="amore">
          <button type="button" class="btn" disabled={deed.busy} onClick={() => void more()}>
            Older
          </button>
          {deed.error && <span class="err sm">{deed.error.message}</span>}
        </div>
      )}
    </>
  );
}

function Row({ firing, of, named }: { firing: Firing; of: Rule | undefined; named: boolean }) {
  const now = serverNow();
  const { ms } = parseInstant(firing.time);
  const end = firing.closed ? parseInstant(firing.closed).ms : undefined;
  const title = firing.title ?? firing.subject ?? kindWord(firing.kind);
  const ruleName = of?.name ?? firing.rule_name ?? `rule ${firing.rule}`;
  return (
    <li class="al fi">
      <FiringPill firing={firing} />
      <div class="at">
        <div class="row">
          <span class="m cut" title={title}>
            <Target firing={firing} of={of} title={title} />
          </span>
          {firing.value !== undefined && !firing.text && (
            <span class="sm d2 nw">
              {valueText(of?.query, firing.value)}
              {firing.kind === 'query' && of?.threshold !== undefined && (
                <span class="d3">, limit {valueText(of.query, of.threshold)}</span>
              )}
            </span>
          )}
        </div>
        <div class="row sm d3">
          <span class="nw">{kindWord(firing.kind)}</span>
          {named && ruleName !== title && (
            <Link class="plain cut" href={`/alerts/${firing.rule}`} follow>
              {ruleName}
            </Link>
          )}
          {firing.project && <span class="mono nw">{firing.project}</span>}
          {firing.suppressed ? (
            <span class="cut">{WHY_SUPPRESSED[firing.suppressed]}</span>
          ) : (
            firing.text && (
              <span class="cut">
                {firing.text}
                {firing.over_value !== undefined && `; ${valueText(of?.query, firing.over_value)} when it was over`}
              </span>
            )
          )}
        </div>
      </div>
      <time class="ag r" title={absolute(ms)}>
        {ago(ms, now)}
        <span class="d3 sm">{end ? `over ${ago(end, now)}` : firing.open ? 'not over' : ''}</span>
      </time>
    </li>
  );
}

function Target({ firing, of, title }: { firing: Firing; of: Rule | undefined; title: string }) {
  if (firing.issue)
    return (
      <Link class="plain" href={`/issues/${firing.issue}`} follow>
        {title}
      </Link>
    );
  const { ms } = parseInstant(firing.time);
  const to = firing.closed ? parseInstant(firing.closed).ms : ms + 60_000;
  const records = of?.query && recordsHref(of.query, ms - (of.window_s ?? 0) * 1000, to);
  if (!records) return <>{title}</>;
  return (
    <Link class="plain" href={records} follow>
      {title}
    </Link>
  );
}
