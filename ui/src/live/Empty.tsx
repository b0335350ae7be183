// Nothing to look into yet: what to run, and what is in the way.
import { useState } from 'preact/hooks';
import { type Agent, enrolLine, loadAgents, makeAgentToken } from '../api/agents.ts';
import { serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { Instance, LiveService } from '../api/probes.ts';
import { plural } from '../format/number.ts';
import { ago, parseInstant } from '../format/time.ts';
import { Link } from '../parts/Link.tsx';
import { Paste } from '../parts/Paste.tsx';
import { mayAdminister, Refusal, useDeed } from '../settings/common.tsx';
import { hueOf } from '../state/services.ts';
import { ToneIcon } from './Marks.tsx';
import { instanceSaid, nameOf, runtimeWords, serviceWords } from './words.ts';

/** No agent is connected: those that were are away, or there has been none yet. */
export function NoAgent() {
  const known = useLoad('agents', 'agents', loadAgents);
  const away = known.data.value ?? [];
  if (known.busy.value && !known.data.value && !known.error.value) return null;
  return away.length > 0 ? <Away agents={away} /> : <FirstAgent />;
}

const HOSTS = 4;

function Away({ agents }: { agents: readonly Agent[] }) {
  const last = Math.max(...agents.map((agent) => (agent.last ? parseInstant(agent.last).ms : 0)));
  const hosts = agents.slice(0, HOSTS).map((agent) => agent.host);
  const more = agents.length - hosts.length;
  return (
    <div class="say livesay">
      <h1>
        {agents.length === 1
          ? `The agent of ${hosts[0]} is away`
          : `The agents of ${hosts.join(', ')}${more > 0 ? ` and ${plural(more, 'more host')}` : ''} are away`}
      </h1>
      <p>
        {last > 0 && <>It was heard last {ago(last, serverNow())}. </>}
        Its probes have removed themselves; they are placed again when it is back. This page goes on by itself then.
      </p>
      <Paste name="on the host" text="sudo clew agent" />
      <p>
        Whether it runs there, and what is in its way: <code>sudo clew agent status</code>
      </p>
      <div class="row">
        <Link class="btn" href="/settings/agents" follow>
          All agents
        </Link>
      </div>
    </div>
  );
}

function FirstAgent() {
  const [token, setToken] = useState<string | undefined>();
  const deed = useDeed();
  const make = () => void deed.run(async () => setToken(await makeAgentToken(`host of ${new Date().toISOString().slice(0, 10)}`)));
  const server = location.origin;
  return (
    <div class="say livesay">
      <h1>No agent yet: put one on a host, and look into its processes as they run</h1>
      <p>
        One <code>clew agent</code> a host finds the processes there and places probes from outside: no SDK, no restart, no change of code.
        It never runs any code of yours, costs at most 1{'\u202f'}% of a core, and takes everything back when contact is lost.
      </p>
      {token ? (
        <>
          <p>On the host, once. The token is good for one host and for an hour, and is shown this once:</p>
          <Paste name="on the host" text={enrolLine(token, server)} />
          <p class="row waitfor" role="status">
            <span class="dot w" /> Waiting for the agent. This page goes on by itself when it says hello.
          </p>
          <p class="sm">
            From then on <code>sudo clew agent</code> is enough. It needs root, or the user of the processes with{' '}
            <code>CAP_SYS_PTRACE</code>; <code>clew doctor</code> says what is missing.
          </p>
        </>
      ) : mayAdminister() ? (
        <button type="button" class="btn p" disabled={deed.busy} onClick={make}>
          Make an enrolment token
        </button>
      ) : (
        <p>An administrator makes the token that enrols a host; ask one to open this page.</p>
      )}
      <Refusal error={deed.error} />
      <Paste
        name="which processes, and how much of them: /etc/clew/agent.conf (optional)"
        text={'users = www-data\nservices = shop-*\nvalues = full'}
      />
    </div>
  );
}

/** Agents, but no process that they could name. */
export function NoService({ agents }: { agents: number }) {
  return (
    <div class="say livesay">
      <h1>{agents === 1 ? 'The agent is' : `${agents} agents are`} here, and sees no process of yours</h1>
      <p>
        It looks for Python and Node programs that run as the users of its policy. A process is named by <code>OTEL_SERVICE_NAME</code>, or
        else by what it runs. Start one on that host:
      </p>
      <Paste name="for example" text={'OTEL_SERVICE_NAME=shop python3 app.py'} />
      <p>
        What it sees, and what it leaves alone and why, it says there: <code>sudo clew agent status</code>
      </p>
    </div>
  );
}

/** Which service? */
export function Services({ services, choose }: { services: readonly LiveService[]; choose: (service: string) => void }) {
  const sorted = [...services].sort(
    (a, b) => b.probes - a.probes || Number(b.attachable > 0) - Number(a.attachable > 0) || a.service.localeCompare(b.service),
  );
  return (
    <div class="scroll grow" tabIndex={0} role="region" aria-label="Services">
      <ul class="svcs">
        {sorted.map((one) => (
          <li key={one.service}>
            <button type="button" onClick={() => choose(one.service)}>
              <span class={`svc m h${hueOf(one.service)} cut`}>{one.service}</span>
              <span class="d2 cut">{runtimeWords(one.runtimes)}</span>
              <span class="d3 cut wide">{serviceWords(one)}</span>
              <span class="sm nw r">
                {one.probes > 0 ? (
                  <span class="row">
                    <span class="dia" aria-hidden="true" />
                    {plural(one.probes, 'probe')}
                  </span>
                ) : one.attachable === 0 ? (
                  <span class="err">none attachable</span>
                ) : (
                  <span class="d3">{one.attachable < one.instances ? `${one.attachable} of ${one.instances} attachable` : 'no probe'}</span>
                )}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A service of which no process takes a probe: each with its reason. */
export function NotAttachable({ service, instances }: { service: string; instances: readonly Instance[] }) {
  return (
    <div class="say livesay">
      <h2>{instances.length === 0 ? `${service} has no process now` : `No process of ${service} takes a probe`}</h2>
      {instances.length === 0 ? (
        <p>Its processes have ended, or their host's agent has gone. Probes stand ready for when they come back.</p>
      ) : (
        <ul class="whys">
          {instances.map((instance) => {
            const said = instanceSaid(instance);
            return (
              <li key={`${instance.agent} ${instance.id}`}>
                <ToneIcon tone={said.tone} />
                <div class="grow">
                  <p>
                    <span class="mono">{nameOf(instance)}</span> {said.text}
                    {said.code && <code class="d3"> {said.code}</code>}
                  </p>
                  {said.way && <p class="d2">{said.way}</p>}
                </div>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
