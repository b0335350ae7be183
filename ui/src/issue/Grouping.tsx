// Why these events are one issue: what was hashed, in words and as a tree; and the kinds of events that it holds.
import { useState } from 'preact/hooks';
import { ApiError, serverNow } from '../api/client.ts';
import type { Component, IssueEvent } from '../api/event.ts';
import { type IssueDetail, unmergeIssue } from '../api/issues.ts';
import { count } from '../format/number.ts';
import { ago, parseInstant } from '../format/time.ts';
import { failure } from '../issues/deeds.ts';
import { Link } from '../parts/Link.tsx';
import { term } from '../query/write.ts';
import { refresh } from '../state/live.ts';
import { later, pending } from '../state/undo.ts';
import { childrenOf, rootsOf, usedVariant, whyOne, wordsOf } from './explain.ts';
import { eventsWhere } from './Side.tsx';

export function Why({ event }: { event: IssueEvent | undefined }) {
  const [open, setOpen] = useState(false);
  const grouping = event?.grouping;
  const variant = grouping && usedVariant(grouping);
  const others = grouping?.variants?.filter((one) => one !== variant) ?? [];
  return (
    <section class="hl" aria-label="Why these are one issue">
      <div class="sec">
        <h2>Why these are one issue</h2>
        <span class="grow" />
        {variant && (
          <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Less' : 'Explain'}
          </button>
        )}
      </div>
      <p class="why2 sm d2">{whyOne(grouping) ?? (event ? 'How they were grouped is not stored with this event.' : '\u00a0')}</p>
      {open && grouping && variant && (
        <div class="explain2 sm">
          <p class="d3">
            {grouping.algorithm} <span class="mono">{variant.hash}</span>
          </p>
          {grouping.rule && <code class="wrap">{grouping.rule}</code>}
          {rootsOf(variant).map((root, index) => (
            <Tree component={root} depth={0} key={index} />
          ))}
          {others.map((other) => (
            <p class="d3" key={other.type}>
              Not used: {other.description ?? other.type}
              {other.hint && `, ${other.hint}`}
            </p>
          ))}
        </div>
      )}
    </section>
  );
}

function Tree({ component, depth }: { component: Component; depth: number }) {
  const words = wordsOf(component).join(' ');
  const off = component.contributes === false;
  if (depth > 8) return null;
  return (
    <>
      <p class={`tree1 ${off ? 'off' : ''}`} style={{ paddingLeft: `${depth * 10}px` }}>
        <span class="d3 nw">{component.name ?? component.id}</span>
        {words && (
          <code class="cut" title={words}>
            {words}
          </code>
        )}
        {off && <span class="why cut">{component.hint ?? 'left out'}</span>}
      </p>
      {childrenOf(component).map((child, index) => (
        <Tree component={child} depth={depth + 1} key={index} />
      ))}
    </>
  );
}

export function Groups({ issue }: { issue: IssueDetail }) {
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  // An event counts under the first of its hashes; the others are names of the same kind.
  const groups = (issue.groups ?? []).filter((group) => group.events > 0);
  if (groups.length < 2) return null;
  const subject = `unmerge ${issue.id}`;
  const waiting = pending.value?.subject === subject;
  const toggle = (hash: string) => {
    const next = new Set(picked);
    if (!next.delete(hash)) next.add(hash);
    setPicked(next);
  };
  const split = () => {
    const hashes = [...picked];
    setPicked(new Set());
    later(
      subject,
      `${hashes.length === 1 ? 'One kind becomes an issue' : `${hashes.length} kinds become an issue`} of its own`,
      async () => {
        try {
          await unmergeIssue(issue.id, hashes);
          failure.value = undefined;
        } catch (error) {
          failure.value = error instanceof ApiError ? error : new ApiError(0, { message: String(error) });
        }
        refresh();
      },
    );
  };
  return (
    <section class="hl" aria-label="Merged">
      <div class="sec">
        <h2>Merged</h2>
        <span class="grow">{groups.length} kinds of events</span>
        <button type="button" class="link" disabled={picked.size === 0 || picked.size === groups.length || waiting} onClick={split}>
          Take apart
        </button>
      </div>
      <table class="us mg">
        <tbody>
          {groups.map((group) => (
            <tr key={group.hash}>
              <td class="cut">
                <label class="row">
                  <input type="checkbox" checked={picked.has(group.hash)} onChange={() => toggle(group.hash)} />
                  <Link class="plain mono cut" href={eventsWhere(term('group', group.hash))} title={group.hash}>
                    {group.hash.slice(0, 12)}
                  </Link>
                </label>
              </td>
              <td class="r">{count(group.events)}</td>
              <td class="r d3">{group.last ? ago(parseInstant(group.last).ms, serverNow()) : ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
