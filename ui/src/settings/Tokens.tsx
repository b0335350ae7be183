// Tokens: what programs show to be let in.
import { KeyRound } from 'lucide';
import { useState } from 'preact/hooks';
import { getJson, send } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { actorWords } from '../format/actor.ts';
import { plural } from '../format/number.ts';
import { Icon } from '../parts/Icon.tsx';
import { Head, isAway, Once, Refusal, Rows, ScopeChoice, takeAway, useDeed, When } from './common.tsx';
import { Form, TextField } from './Form.tsx';
import { SCOPES } from './roles.ts';
import type { Project, Token } from './types.ts';

const at = (token: Token) => `/api/v1/tokens/${token.id}`;

export function Tokens() {
  const list = useLoad('tokens', 'tokens', (abort) => getJson<{ tokens: Token[] }>('/api/v1/tokens', {}, abort));
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Token | undefined>();
  const deed = useDeed();
  const all = (list.data.value?.tokens ?? []).filter((token) => !isAway(at(token)));
  const tokens = [...all].sort((a, b) => b.id - a.id);
  const unused = tokens.filter((token) => !token.last_used).length;
  const revoke = (token: Token) => takeAway(at(token), `${token.name} is revoked`, deed.run, list.retry);
  return (
    <>
      <Head
        title="Tokens"
        says={
          list.data.value && `${plural(tokens.length, 'token')}${unused ? `, ${unused} never used` : ''}. A revoked one is refused at once.`
        }
      >
        <button type="button" class="btn p" aria-expanded={making} onClick={() => setMaking(!making)}>
          <Icon icon={KeyRound} size={14} />
          New token
        </button>
      </Head>
      {making && (
        <NewToken
          done={(token) => {
            setMade(token);
            setMaking(false);
            list.retry();
          }}
          close={() => setMaking(false)}
        />
      )}
      {made?.token && (
        <Once name={`token ${made.name}`} text={made.token}>
          The secret of {made.name}. It is shown this once; programs send it as <code>Authorization: Bearer …</code>
        </Once>
      )}
      <Refusal error={deed.error} />
      <Rows of={list} rows={5}>
        {() =>
          tokens.length === 0 ? (
            <div class="say">
              <h2>No token yet</h2>
              <p>A program off this machine needs one to send (scope ingest), a script to query (scope read). On the command line:</p>
              <code>clew token add ci --scope read</code>
            </div>
          ) : (
            <table class="tbl">
              <thead>
                <tr>
                  <th>Token</th>
                  <th>May</th>
                  <th class="wide">Project</th>
                  <th class="wide">Made</th>
                  <th>Last used</th>
                  <th class="wide">Ends</th>
                  <th>
                    <span class="only-read">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {tokens.map((token) => (
                  <tr key={token.id}>
                    <td class="cut">
                      <span class="m">{token.name}</span> <span class="mono d3 nw">…{token.ends_in}</span>
                    </td>
                    <td class="cut" title={token.scopes.join(', ')}>
                      {token.scopes.join(', ')}
                    </td>
                    <td class="wide cut">{token.project ?? <span class="d3">all</span>}</td>
                    <td class="wide cut" title={`by ${actorWords(token.created_by)}`}>
                      <When at={token.created} /> <span class="d3">by {actorWords(token.created_by)}</span>
                    </td>
                    <td>
                      <When at={token.last_used} />
                    </td>
                    <td class="wide">
                      <When at={token.expires} />
                    </td>
                    <td class="r">
                      <button type="button" class="btn g s" onClick={() => revoke(token)} aria-label={`Revoke ${token.name}`}>
                        Revoke
                      </button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Rows>
    </>
  );
}

const TTLS = [
  ['', 'Never'],
  ['30d', '30 days'],
  ['90d', '90 days'],
  ['365d', 'A year'],
] as const;

function NewToken({ done, close }: { done: (token: Token) => void; close: () => void }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState(['ingest']);
  const [project, setProject] = useState('');
  const [ttl, setTtl] = useState('');
  const projects = useLoad('projects', 'projects', (abort) => getJson<{ projects: Project[] }>('/api/v1/projects', {}, abort));
  return (
    <Form
      class="hl"
      verb="Make the token"
      ready={name.trim() !== '' && scopes.length > 0}
      save={async () => {
        const made = await send<Token>('POST', '/api/v1/tokens', {
          name: name.trim(),
          scopes,
          ...(project && { project }),
          ...(ttl && { ttl }),
        });
        if (made) done(made);
      }}
      close={close}
    >
      <div class="row wrap">
        <TextField label="Name" most={63} example="what uses it" first value={name} change={setName} />
        <label class="field">
          <span class="sm d3">Project</span>
          <select class="text" value={project} onChange={(event) => setProject(event.currentTarget.value)}>
            <option value="">all</option>
            {projects.data.value?.projects.map((entry) => (
              <option key={entry.id} value={entry.slug}>
                {entry.slug}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span class="sm d3">Ends</span>
          <select class="text" value={ttl} onChange={(event) => setTtl(event.currentTarget.value)}>
            {TTLS.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <ScopeChoice chosen={scopes} change={setScopes} scopes={SCOPES} />
    </Form>
  );
}
