// Hosts with an agent: what the server knows of them, and how one is enrolled.
import { getJson, send } from './client.ts';

export interface Rules {
  users?: string[];
  services?: string[];
  environments?: string[];
  cgroups?: string[];
  shapes_services?: string[];
  shapes_environments?: string[];
  /** So many that are not shown. */
  more?: number;
}

export interface Agent {
  id: string;
  host: string;
  version?: string;
  connected: boolean;
  /** Of the connection that is open. */
  since?: string;
  /** When it was heard last. */
  last?: string;
  processes: number;
  attached: number;
  /** Of one core. */
  cpu_ratio: number;
  rss: number;
  spool_bytes: number;
  /** Captures that did not get here. */
  dropped: number;
  /** Second connections with its key. */
  refused: number;
  /** Its key was used in two places: the proof of it that was seen last. Until the agent is removed. */
  copied?: { why: 'machine' | 'turn' | 'second'; times: number; last: string };
  /** What the host lets out; not known before it has said so. */
  policy?: 'values' | 'shapes';
  /** Its lists as the host's file has them; one that is absent leaves nothing out. */
  rules?: Rules;
}

export async function loadAgents(abort?: AbortSignal): Promise<Agent[]> {
  return (await getJson<{ agents: Agent[] }>('/api/v1/agents', {}, abort)).agents;
}

/** An enrolment token that can be used still. */
export interface AgentToken {
  id: string;
  name: string;
  created: string;
  created_by: string;
  expires: string;
}

export async function loadAgentTokens(abort?: AbortSignal): Promise<AgentToken[]> {
  return (await getJson<{ tokens: AgentToken[] }>('/api/v1/agents/tokens', {}, abort)).tokens;
}

export async function makeAgentToken(name: string): Promise<string> {
  return (await send<{ token: string }>('POST', '/api/v1/agents/tokens', { name }))?.token ?? '';
}

/** The one line that a host's administrator pastes; the token is not among the arguments, which other users can see. */
export function enrolLine(token: string, server: string): string {
  return `sudo CLEW_TOKEN=${token} clew agent --server ${server}`;
}

/** An address that other hosts do not reach: there its name is of the host itself. */
export function onlyThisMachine(server: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|.+\.localhost)$/.test(new URL(server).hostname);
}
