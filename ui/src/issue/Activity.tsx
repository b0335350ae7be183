// What happened to the issue, the newest first, and what people say about it.
import { Trash2 } from 'lucide';
import { useState } from 'preact/hooks';
import { me, serverNow } from '../api/client.ts';
import { comment, type Activity as Entry, type IssueDetail, removeComment } from '../api/issues.ts';
import { actorWords } from '../format/actor.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { initials } from '../issues/words.ts';
import { Icon } from '../parts/Icon.tsx';
import { refresh } from '../state/live.ts';
import { later, pending } from '../state/undo.ts';

const KINDS: Record<string, string> = {
  first_seen: 'First seen',
  regressed: 'Came back',
  escalating: 'Escalates',
  seen_in_release: 'Seen in a release',
  merged: 'Merged',
  unmerged: 'Taken apart',
};

export function Activity({ issue }: { issue: IssueDetail }) {
  const [text, setText] = useState('');
  const [said, setSaid] = useState('');
  const hidden = pending.value?.subject;
  const entries = [...(issue.activity ?? [])]
    .filter((entry) => `comment ${issue.id} ${entry.id}` !== hidden)
    .sort((a, b) => (a.time < b.time ? 1 : -1));
  const send = async () => {
    const words = text.trim();
    if (!words) return;
    try {
      await comment(issue.id, words);
      setText('');
      setSaid('');
      refresh();
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <section class="hl" aria-label="Activity">
      <div class="sec">
        <h2>Activity</h2>
        <span class="grow" />
      </div>
      <form
        class="say1"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <textarea
          aria-label="A comment"
          placeholder="What you found out"
          rows={text.includes('\n') || text.length > 50 ? 3 : 1}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              void send();
            } else if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
        <button type="submit" class="btn" disabled={!text.trim()} title="Ctrl Enter">
          Comment
        </button>
      </form>
      {said && (
        <p class="hint err sm" role="alert">
          {said}
        </p>
      )}
      <ol class="acv">
        {entries.map((entry) => (
          <Line entry={entry} issue={issue} key={`${entry.kind} ${entry.id}`} />
        ))}
      </ol>
    </section>
  );
}

function Line({ entry, issue }: { entry: Entry; issue: IssueDetail }) {
  const at = parseInstant(entry.time).ms;
  const said = entry.kind === 'comment';
  const actor = entry.actor && actorWords(entry.actor);
  const own = said && (actor === me.value?.name || (me.value?.scopes?.includes('admin') ?? false));
  // Of the first one the server says the release alone.
  const words =
    entry.kind === 'first_seen' && entry.text
      ? `${KINDS['first_seen']} in ${entry.text}`
      : entry.text || KINDS[entry.kind] || entry.kind.replaceAll('_', ' ');
  return (
    <li class={said ? 'cmt' : ''}>
      <time class="d3 sm" title={absolute(at)} dateTime={entry.time}>
        {ago(at, serverNow())}
      </time>
      <div class="grow">
        {said ? (
          <>
            <p class="row sm">
              {actor && <span class="av sm1">{initials(actor)}</span>}
              <b class="m">{actor}</b>
              <span class="grow" />
              {own && (
                <button
                  type="button"
                  class="btn g s i"
                  aria-label="Delete the comment"
                  title="Delete"
                  onClick={() =>
                    later(`comment ${issue.id} ${entry.id}`, 'The comment is deleted', async () => {
                      await removeComment(issue.id, entry.id).catch(() => undefined);
                      refresh();
                    })
                  }
                >
                  <Icon icon={Trash2} size={14} />
                </button>
              )}
            </p>
            <p class="wrap cmtext">{words}</p>
          </>
        ) : (
          <span class="sm">
            {actor && actor !== 'clew' && !words.startsWith(actor) ? `${actor}: ` : ''}
            {words[0]?.toUpperCase()}
            {words.slice(1)}
          </span>
        )}
      </div>
    </li>
  );
}
