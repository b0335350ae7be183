// Agents: the hosts whose processes can be looked into, what that costs them, and how another one is enrolled.
import { Cpu } from 'lucide';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Agent, type AgentToken, enrolLine, loadAgents, loadAgentTokens, makeAgentToken, onlyThisMachine } from '../api/agents.ts';
import { send } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { actorWords } from '../format/actor.ts';
import { bytes, count, plural } from '../format/number.ts';
import { useEvery } from '../parts/every.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { Paste } from '../parts/Paste.tsx';
import { arrived, byAttention, copiedWords, costWords, policyWords, rulesWords, summary } from './agent-words.ts';
import { Head, isAway, mayAdminister, Refusal, Rows, takeAway, useDeed, useFocus, When } from './common.tsx';

const POLL_MS = 2000;

export function Agents() {
  const turn = useEvery(POLL_MS);
  const list = useLoad('agents', String(turn), loadAgents);
  const [enrolling, setEnrolling] = useState(false);
  const [removing, setRemoving] = useState<string | undefined>();
  const deed = useDeed();
  const agents = list.data.value;
  const admin = mayAdminister();
  const remove = async (agent: Agent) => {
    if (await deed.run(() => send('DELETE', `/api/v1/agents/${agent.id}`, {}))) setRemoving(undefined);
    list.retry();
  };
  return (
    <>
      <Head title="Agents" says={agents && summary(agents)}>
        {admin && (
          <button type="button" class="btn p" aria-expanded={enrolling} onClick={() => setEnrolling(!enrolling)}>
            <Icon icon={Cpu} size={14} />
            Enrol a host
          </button>
        )}
      </Head>
      {enrolling && <Enrol agents={agents ?? []} close={() => setEnrolling(false)} />}
      <Refusal error={deed.error} />
      <Rows of={list} rows={3}>
        {(agents) =>
          agents.length === 0 ? (
            !enrolling && <Empty admin={admin} enrol={() => setEnrolling(true)} />
          ) : (
            <table class="tbl agents">
              <thead>
                <tr>
                  <th>Host</th>
                  <th class="wide">Connection</th>
                  <th class="r">Processes</th>
                  <th class="r wide">Attached</th>
                  <th class="r">CPU</th>
                  <th class="r wide">Memory</th>
                  <th class="r wide" title="Captures that did not get here: too many at once, or no room for them on the host">
                    Dropped
                  </th>
                  <th class="wide">Lets out</th>
                  {admin && (
                    <th>
                      <span class="only-read">Actions</span>
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {byAttention(agents).map((agent) => (
                  <AgentRow
                    key={agent.id}
                    agent={agent}
                    admin={admin}
                    busy={deed.busy}
                    asked={removing === agent.id}
                    ask={(on) => setRemoving(on ? agent.id : undefined)}
                    remove={() => void remove(agent)}
                  />
                ))}
              </tbody>
            </table>
          )
        }
      </Rows>
      {admin && <Waiting turn={turn} />}
    </>
  );
}

const at = (token: AgentToken) => `/api/v1/agents/tokens/${token.id}`;

/** Enrolment tokens that nobody has used yet. */
function Waiting({ turn }: { turn: number }) {
  const list = useLoad('agent-tokens', String(turn), loadAgentTokens);
  const deed = useDeed();
  const tokens = (list.data.value ?? []).filter((token) => !isAway(at(token)));
  return (
    <>
      <Refusal error={deed.error} />
      {tokens.length > 0 && (
        <section aria-label="Enrolment tokens">
          <div class="sec">
            <h2>Enrolment tokens that wait for their host</h2>
          </div>
          <table class="tbl enrolments">
            <thead>
              <tr>
                <th>For</th>
                <th class="wide">Made</th>
                <th>Ends</th>
                <th>
                  <span class="only-read">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {tokens.map((token) => (
                <tr key={token.id}>
                  <td class="cut" title={token.name}>
                    <span class="m">{token.name}</span> <span class="mono d3 nw">{token.id}</span>
                  </td>
                  <td class="wide cut" title={`by ${actorWords(token.created_by)}`}>
                    <When at={token.created} /> <span class="d3">by {actorWords(token.created_by)}</span>
                  </td>
                  <td>
                    <When at={token.expires} />
                  </td>
                  <td class="r">
                    <button
                      type="button"
                      class="btn g s"
                      aria-label={`Revoke the token of ${token.name}`}
                      onClick={() => takeAway(at(token), `The token of ${token.name} is revoked`, deed.run, list.retry)}
                    >
                      Revoke
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}

interface RowProps {
  agent: Agent;
  admin: boolean;
  busy: boolean;
  asked: boolean;
  ask: (on: boolean) => void;
  remove: () => void;
}

function AgentRow({ agent, admin, busy, asked, ask, remove }: RowProps) {
  const state = <Connection agent={agent} />;
  const idle = <span class="d3">–</span>;
  const rules = rulesWords(agent);
  return (
    <>
      <tr class={agent.connected ? '' : 'off'}>
        <td class="cut">
          <span class="m">{agent.host}</span> {agent.version && <span class="mono d3 nw wide">{agent.version}</span>}
          <span class="narrow sm d3 sub cut">{state}</span>
        </td>
        <td class="wide">
          {state}
          {agent.refused > 0 && !agent.copied && (
            <span class="pill w" title="Two hosts use one key: was the agent's directory copied? Remove this agent and enrol both anew.">
              {plural(agent.refused, 'second connection')} refused
            </span>
          )}
        </td>
        <td class="r">{agent.connected ? count(agent.processes) : idle}</td>
        <td class="r wide">{agent.connected ? count(agent.attached) : idle}</td>
        <td class="r">{agent.connected ? costWords(agent.cpu_ratio) : idle}</td>
        <td class="r wide">{agent.connected && agent.rss > 0 ? bytes(agent.rss) : idle}</td>
        <td class={`r wide ${agent.dropped > 0 ? 'err' : ''}`}>{agent.dropped > 0 ? count(agent.dropped) : <span class="d3">0</span>}</td>
        <td class="wide">{policyWords(agent.policy)}</td>
        {admin && (
          <td class="r">
            <button type="button" class="btn g s" aria-expanded={asked} aria-label={`Remove ${agent.host}`} onClick={() => ask(!asked)}>
              Remove
            </button>
          </td>
        )}
      </tr>
      {rules && (
        <tr class="rules">
          <td colSpan={9} class="sm d3">
            {rules}
          </td>
        </tr>
      )}
      {agent.copied && (
        <tr class="copied">
          <td colSpan={9}>
            <span class="pill e">Connected from two places</span> <When at={agent.copied.last} />, {copiedWords(agent.copied)}
          </td>
        </tr>
      )}
      {asked && (
        <tr class="editor">
          <td colSpan={9}>
            <div class="set-form" role="group" aria-label={`Remove ${agent.host}?`}>
              <p>
                {agent.connected ? 'Its probes leave the processes of ' : 'It will not be let in again. Nothing of it acts on '}
                <b>{agent.host}</b>
                {agent.connected
                  ? ' at once, and it is not let in again until the host is enrolled anew.'
                  : ': its probes ended without this server.'}{' '}
                What it has captured stays, and so do probes on other hosts.
              </p>
              <div class="row">
                <button type="button" class="btn" disabled={busy} onClick={remove}>
                  Remove the agent
                </button>
                <button type="button" class="btn g" onClick={() => ask(false)}>
                  Keep it
                </button>
              </div>
            </div>
          </td>
        </tr>
      )}
    </>
  );
}

function Connection({ agent }: { agent: Agent }) {
  return (
    <span class="row conn">
      <span class={`dot ${agent.connected ? 'k' : ''}`} aria-hidden="true" />
      {agent.connected ? (
        <span class="cut">
          connected <When at={agent.since} />
        </span>
      ) : agent.last ? (
        <span class="cut">
          last seen <When at={agent.last} />
        </span>
      ) : (
        <span class="cut">enrolled, not seen yet</span>
      )}
    </span>
  );
}

function Empty({ admin, enrol }: { admin: boolean; enrol: () => void }) {
  return (
    <div class="say">
      <h2>No host has an agent yet</h2>
      <p>
        One <code>clew agent</code> a host finds its Python and Node processes and places probes in them from outside, so that you can see
        what is in a variable when a line runs in production: no SDK, no restart. It never runs code of yours and costs at most 1{'\u202f'}%
        of a core.
      </p>
      {admin ? (
        <button type="button" class="btn" onClick={enrol}>
          Enrol the first host
        </button>
      ) : (
        <p>An administrator enrols a host, here.</p>
      )}
    </div>
  );
}

/** From a name to a host that is connected, without leaving the page. */
function Enrol({ agents, close }: { agents: readonly Agent[]; close: () => void }) {
  const first = useFocus();
  const [name, setName] = useState('');
  const [token, setToken] = useState<string | undefined>();
  const before = useRef<ReadonlySet<string>>(new Set());
  const deed = useDeed();
  const found = token ? arrived(agents, before.current) : undefined;
  const server = location.origin;
  return (
    <form
      class="set-form hl enrol"
      aria-label="Enrol a host"
      onSubmit={(event) => {
        event.preventDefault();
        before.current = new Set(agents.map((agent) => agent.id));
        void deed.run(async () => setToken(await makeAgentToken(name.trim())));
      }}
    >
      {token ? (
        <>
          <p>
            On {name.trim()}, once. The token in it is good for one host and for an hour, and is shown this once; from then on{' '}
            <code>sudo clew agent</code> is enough.
          </p>
          <Paste name={`on ${name.trim()}`} text={enrolLine(token, server)} />
          {onlyThisMachine(server) && (
            <p class="sm d2">
              This address reaches only the machine that the server runs on. For another host, open this page under the name by which hosts
              reach the server, with https.
            </p>
          )}
          <Waits found={found} />
        </>
      ) : (
        <div class="row wrap">
          <label class="field">
            <span class="sm d3">Which host</span>
            <input
              class="text"
              required
              maxLength={63}
              autocomplete="off"
              spellcheck={false}
              placeholder="web-1"
              value={name}
              ref={first}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="btn" disabled={deed.busy || !name.trim()}>
            Make the command
          </button>
        </div>
      )}
      <Refusal error={deed.error} />
      <button type="button" class={found?.connected ? 'btn' : 'btn g'} onClick={close}>
        {found?.connected ? 'Done' : token ? 'Close' : 'Cancel'}
      </button>
    </form>
  );
}

function Waits({ found }: { found: Agent | undefined }) {
  // Its list of processes comes a moment after its hello.
  const [listed, setListed] = useState(false);
  useEffect(() => {
    if (!found?.connected || listed) return;
    const timer = setTimeout(() => setListed(true), 2 * POLL_MS);
    return () => clearTimeout(timer);
  }, [found?.connected, listed]);
  return (
    <p class="row wrap" role="status">
      {!found ? (
        <>
          <span class="dot w beat" aria-hidden="true" /> Waiting for its hello.
        </>
      ) : !found.connected ? (
        <>
          <span class="dot w beat" aria-hidden="true" /> {found.host} is enrolled; waiting for its connection.
        </>
      ) : (
        <>
          <span class="dot k" aria-hidden="true" />
          <span>
            <b>{found.host}</b> is connected,{' '}
            {found.processes > 0 || listed ? plural(found.processes, 'process', 'processes') : 'looking around'}.
          </span>
          <Link class="btn s" href="/live">
            Look into them
          </Link>
        </>
      )}
    </p>
  );
}
