// Whose a project's code is.
import { useState } from 'preact/hooks';
import { ApiError, getJson, send } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { actorWords } from '../format/actor.ts';
import { Rows, useDeed, When } from './common.tsx';
import { RuleActions } from './RuleActions.tsx';
import { RuleText } from './RuleText.tsx';

const at = (slug: string) => `/api/v1/projects/${encodeURIComponent(slug)}`;

interface OwnerRules {
  rules: string;
  codeowners: string;
  auto_assign: boolean;
  changed?: string;
  changed_by?: string;
}

/** Undefined: this server knows no owners. */
async function loadOwners(slug: string, abort: AbortSignal): Promise<{ now: OwnerRules | undefined }> {
  try {
    return { now: await getJson<OwnerRules>(`${at(slug)}/owners`, {}, abort) };
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 405)) return { now: undefined };
    throw error;
  }
}

export function Owners({ slug }: { slug: string }) {
  const load = useLoad(`owners ${slug}`, `owners ${slug}`, (abort) => loadOwners(slug, abort));
  if (load.data.value && !load.data.value.now) return null;
  return (
    <section class="set-proj" id="owners" aria-label="Owners">
      <h2 class="m">Owners</h2>
      <Rows of={load} rows={3}>
        {({ now }) => now && <OwnersEditor key={now.changed ?? 'first'} slug={slug} now={now} retry={load.retry} />}
      </Rows>
    </section>
  );
}

function OwnersEditor({ slug, now, retry }: { slug: string; now: OwnerRules; retry: () => void }) {
  const [rules, setRules] = useState(now.rules);
  const [codeowners, setCodeowners] = useState(now.codeowners);
  const [auto, setAuto] = useState(now.auto_assign);
  const deed = useDeed();
  const { error } = deed;
  const changed = rules !== now.rules || codeowners !== now.codeowners || auto !== now.auto_assign;
  return (
    <>
      <p class="sm d2">
        A new issue goes to whom its code belongs, found from its frames, its URL and its tags. The last rule that matches comes first.
        {now.changed && (
          <span class="d3">
            {' '}
            Changed <When at={now.changed} /> by {actorWords(now.changed_by)}.
          </span>
        )}
      </p>
      <RuleText
        label="Owner rules"
        says="kind:pattern owners, a line each"
        example={'path:src/payments/* #payments\nurl:*/checkout* ada@example.com'}
        value={rules}
        write={setRules}
        error={error?.place === 'rules' ? error : undefined}
      />
      <RuleText
        label="CODEOWNERS"
        says="the file as GitHub and GitLab read it"
        example={'/web/ @shop/web'}
        value={codeowners}
        write={setCodeowners}
        error={error?.place === 'codeowners' ? error : undefined}
      />
      <label class="row">
        <input type="checkbox" checked={auto} onChange={(event) => setAuto(event.currentTarget.checked)} />
        <span>Assign new issues to their first owner</span>
      </label>
      <RuleActions
        deed={deed}
        elsewhere={['rules', 'codeowners']}
        changed={changed}
        save={{
          label: 'Save the owners',
          run: () => send('PUT', `${at(slug)}/owners`, { rules, codeowners, auto_assign: auto }),
          done: retry,
        }}
        restore={() => {
          setRules(now.rules);
          setCodeowners(now.codeowners);
          setAuto(now.auto_assign);
        }}
      />
    </>
  );
}
